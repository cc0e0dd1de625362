import FleetPluginAPI
import Synchronization

/// Counts bytes from several tasks and tells of it now and then.
final class ProgressMeter: Sendable {
    private let emit: @Sendable (TaskEvent) -> Void
    private let state: Mutex<State>

    private struct State {
        var phase: String
        var done: Int64 = 0
        var total: Int64?
        var lastTold: ContinuousClock.Instant?
    }

    /// A line at most so often.
    private static let interval = Duration.milliseconds(500)

    init(_ phase: String, total: Int64?, emit: @escaping @Sendable (TaskEvent) -> Void) {
        self.emit = emit
        state = Mutex(State(phase: phase, total: total))
        tell(always: true)
    }

    func begin(_ phase: String, total: Int64?) {
        state.withLock { $0 = State(phase: phase, total: total) }
        tell(always: true)
    }

    func add(_ bytes: Int64) {
        state.withLock { $0.done += bytes }
        tell(always: false)
    }

    func set(_ bytes: Int64) {
        state.withLock { $0.done = max($0.done, bytes) }
        tell(always: false)
    }

    func finish() {
        tell(always: true)
    }

    private func tell(always: Bool) {
        let now = ContinuousClock.now
        let progress: TaskProgress? = state.withLock { state in
            if !always, let last = state.lastTold, now - last < Self.interval { return nil }
            state.lastTold = now
            return TaskProgress(
                phase: state.phase, bytesDone: state.done, bytesTotal: state.total.map { max($0, state.done) })
        }
        if let progress { emit(.progress(progress)) }
    }
}
