import FleetPluginAPI
import Glibc
import TerminalUI
import UnixSignals

/// What the process does when somebody wants it to stop.
enum Signals {
    /// A reader that has gone away, or a terminal that was closed, must not end a restore halfway.
    ///
    /// Handlers that do nothing, and not `SIG_IGN`: that would be inherited by the programs that are started.
    static func keepWritesHarmless() {
        signal(SIGPIPE) { _ in }
        signal(SIGHUP) { _ in }
    }

    /// Does `body`. The first SIGINT or SIGTERM cancels it and is told to `onFirst`; the second ends the process with
    /// 128 + the signal, as shells have it.
    static func stoppable<Result: Sendable>(
        onFirst: @escaping @Sendable () async -> Void, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let work = Task { try await body() }
        let watcher = Task {
            var isFirst = true
            for await signal in signals {
                guard isFirst else {
                    await Terminal.flush()
                    exit(signal == .sigterm ? 128 + SIGTERM : 128 + SIGINT)
                }
                isFirst = false
                work.cancel()
                await onFirst()
            }
        }
        defer { watcher.cancel() }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
    }
}
