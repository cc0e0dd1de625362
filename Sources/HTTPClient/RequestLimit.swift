import Synchronization

/// How many requests are on their way at the same time; who comes later waits for a turn, in order.
///
/// A request that waits costs a continuation and no more: thousands of them can be asked for at once.
public final class RequestLimit: Sendable {
    private struct State {
        var free: Int
        /// By ticket.
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastTicket: UInt64 = 0
        /// No waiter has a lower ticket.
        var first: UInt64 = 1
        /// Tickets cancelled before they waited.
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    public init(_ count: Int) {
        state = Mutex(State(free: max(1, count)))
    }

    /// Runs `body` when it is its turn.
    ///
    /// - Throws: `CancellationError` where the task is cancelled before, and what `body` throws.
    public func withTurn<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await take()
        defer { giveBack() }
        return try await body()
    }

    private func take() async throws {
        let ticket: UInt64? = state.withLock { state in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            state.lastTicket += 1
            return state.lastTicket
        }
        guard let ticket else { return }
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.cancelled.contains(ticket) { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiters[ticket] = continuation
                    state.first = min(state.first, ticket)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: ticket)
                if waiter == nil { state.cancelled.insert(ticket) }
                return waiter
            }
            waiter?.resume(returning: false)
        }
        state.withLock { _ = $0.cancelled.remove(ticket) }
        guard hasTurn else { throw CancellationError() }
    }

    private func giveBack() {
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            while state.first <= state.lastTicket {
                defer { state.first += 1 }
                if let waiter = state.waiters.removeValue(forKey: state.first) { return waiter }
            }
            state.free += 1
            return nil
        }
        next?.resume(returning: true)
    }
}
