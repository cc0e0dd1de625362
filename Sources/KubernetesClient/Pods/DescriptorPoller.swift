import Glibc
import Synchronization

/// Waits for local sockets with poll(2) on one thread, for any number of tasks.
final class DescriptorPoller: Sendable {
    enum Direction: Sendable {
        case reading, writing
    }

    static let shared = DescriptorPoller()

    private struct Waiter {
        var descriptor: Int32
        var direction: Direction
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        var lastID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let wakeRead: Int32
    private let wakeWrite: Int32

    private init() {
        var ends: [Int32] = [-1, -1]
        let result = pipe(&ends)
        precondition(result == 0, "no pipe for local sockets")
        (wakeRead, wakeWrite) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        var thread = pthread_t()
        let created = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<DescriptorPoller>.fromOpaque(context).takeUnretainedValue().run() }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        precondition(created == 0, "no thread for local sockets")
        pthread_detach(thread)
    }

    /// Suspends until the descriptor can be read or written, or is broken; false when the task was cancelled.
    func wait(_ descriptor: Int32, _ direction: Direction) async -> Bool {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock {
                    $0.waiters[id] = Waiter(
                        descriptor: descriptor, direction: direction, continuation: continuation)
                }
                if Task.isCancelled { finish(id, false) } else { wake() }
            }
        } onCancel: {
            finish(id, false)
        }
    }

    private func finish(_ id: UInt64, _ outcome: Bool) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: outcome)
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(wakeWrite, &byte, 1)
    }

    private func run() {
        while true {
            let waiters = state.withLock { Array($0.waiters) }
            var descriptors = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
            descriptors += waiters.map { waiter in
                let events = waiter.value.direction == .reading ? POLLIN : POLLOUT
                return pollfd(fd: waiter.value.descriptor, events: Int16(events), revents: 0)
            }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
            if descriptors[0].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 256)
                while read(wakeRead, &bytes, bytes.count) > 0 {}
            }
            for (descriptor, waiter) in zip(descriptors.dropFirst(), waiters) where descriptor.revents != 0 {
                finish(waiter.key, true)
            }
        }
    }
}
