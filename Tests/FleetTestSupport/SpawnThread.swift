import Dispatch
import Glibc
import Synchronization

/// Runs `body` on a new thread that belongs to nobody else; for calls that block.
func detachThread(_ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box)
    guard status == 0 else { fatalError("pthread_create: \(status)") }
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// The one thread that starts children. It never ends, so that a child's parent-death signal, which Linux ties to the
/// thread that forked it, fires only when the whole process dies.
enum SpawnThread {
    private static let jobs = Mutex<[@Sendable () -> Void]>([])
    private static let signal = DispatchSemaphore(value: 0)
    private static let started: Void = detachThread {
        while true {
            signal.wait()
            jobs.withLock { $0.removeFirst() }()
        }
    }

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        _ = started
        return try await withCheckedThrowingContinuation { continuation in
            jobs.withLock { $0.append { continuation.resume(with: Result(catching: body)) } }
            signal.signal()
        }
    }
}
