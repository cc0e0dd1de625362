internal import CLibPQ
import Glibc
import Synchronization

/// Waits for sockets with epoll on one thread of its own, for any number of connections.
final class SocketPoller: Sendable {
    enum Outcome { case ready, timedOut, cancelled }

    static let shared = SocketPoller()

    private struct Waiter {
        var continuation: CheckedContinuation<Outcome, Never>
        var deadline: ContinuousClock.Instant
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        /// Zero is the wake-up's.
        var lastID: UInt64 = 0
        /// When the thread will look at deadlines next; nil for not before something happens.
        var nextLook: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let epoll: Int32
    private let wakeUp: Int32

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && wakeUp >= 0, "no file descriptors left")
        arm(wakeUp, events: EPOLLIN.rawValue, id: 0)
        Thread.detach { self.run() }
    }

    /// Suspends until the socket can be read or written (or is broken), the deadline passes or the task is cancelled.
    func wait(
        for socket: Int32, reading: Bool, writing: Bool, until deadline: ContinuousClock.Instant
    ) async -> Outcome {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSooner = state.withLock { state in
                    state.waiters[id] = Waiter(continuation: continuation, deadline: deadline)
                    return state.nextLook.map { deadline < $0 } ?? true
                }
                let events =
                    (reading ? EPOLLIN.rawValue | EPOLLRDHUP.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
                if Task.isCancelled {
                    finish(id, .cancelled)
                } else if !arm(socket, events: events | EPOLLONESHOT.rawValue, id: id) {
                    // Not a socket any more: whoever reads it next finds out why.
                    finish(id, .ready)
                } else if isSooner {
                    wake()
                }
            }
        } onCancel: {
            finish(id, .cancelled)
        }
    }

    private func finish(_ id: UInt64, _ outcome: Outcome) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: outcome)
    }

    @discardableResult
    private func arm(_ descriptor: Int32, events: UInt32, id: UInt64) -> Bool {
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: id))
        // libpq may have closed a socket and opened another of the same number: both ways are tried.
        return unsafe epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0
            || epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    private func wake() {
        var one: UInt64 = 1
        _ = unsafe write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }

    private func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = unsafe epoll_wait(epoll, &events, Int32(events.count), timeout())
            for index in 0..<max(0, Int(count)) {
                let id = unsafe events[index].data.u64
                if id == 0 {
                    var value: UInt64 = 0
                    _ = unsafe read(wakeUp, &value, MemoryLayout<UInt64>.size)
                } else {
                    // An id that nobody waits under any more is a socket armed in vain.
                    finish(id, .ready)
                }
            }
        }
    }

    /// Ends the waits whose deadline has passed and returns milliseconds to the next one, -1 for none.
    private func timeout() -> Int32 {
        let now = ContinuousClock.now
        let (expired, next) = state.withLock { state in
            let expired = state.waiters.filter { $0.value.deadline <= now }
            for id in expired.keys { state.waiters.removeValue(forKey: id) }
            state.nextLook = state.waiters.values.map(\.deadline).min()
            return (expired.values.map(\.continuation), state.nextLook)
        }
        for continuation in expired { continuation.resume(returning: .timedOut) }
        guard let next else { return -1 }
        let milliseconds = (next - now) / .milliseconds(1)
        return Int32(min(max(milliseconds, 0), 60_000).rounded(.up))
    }
}
