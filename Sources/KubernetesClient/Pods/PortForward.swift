public import FleetPluginAPI
import Synchronization

/// A port of 127.0.0.1 whose connections lead to a pod's port. It ends with `close` or the last reference to it.
public final class PortForward: Sendable {
    public let localPort: Int
    private let notes: Notes
    private let task: Task<Void, Never>

    init(_ client: KubernetesClient, namespace: String, port: Int, pod: @escaping @Sendable () async throws -> String)
        throws
    {
        let (listener, localPort) = try LocalSocket.listening()
        self.localPort = localPort
        let notes = Notes()
        self.notes = notes
        task = Task {
            defer { listener.stop() }
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do {
                        let connection = try await listener.accept()
                        group.addTask {
                            let relay = PortRelay(client, connection, namespace: namespace, port: port)
                            await notes.note { try await relay.run(try await pod()) }
                        }
                    } catch {
                        if error is CancellationError { break }
                        // No descriptors left: connections that end make room.
                        await notes.note { throw error }
                        try? await Task.sleep(for: .milliseconds(100))
                    }
                }
            }
        }
    }

    deinit {
        task.cancel()
    }

    /// Why the last connection that failed did so; others are not touched by it.
    public var lastFailure: FleetError? { notes.last.withLock { $0 } }

    /// Ends all connections and stops listening.
    public func close() async {
        task.cancel()
        await task.value
    }

    private final class Notes: Sendable {
        let last = Mutex<FleetError?>(nil)

        func note(_ body: () async throws -> Void) async {
            do {
                try await body()
            } catch {
                if error is CancellationError { return }
                let error = FleetError(error, "a forwarded connection failed")
                last.withLock { $0 = error }
            }
        }
    }
}
