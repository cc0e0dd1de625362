import FleetPluginAPI
import Glibc
import Synchronization

/// One thread that waits for descriptors to become readable, for any number of tasks.
final class DescriptorWatcher: Sendable {
    static let shared = DescriptorWatcher()

    private struct Waiter {
        var descriptor: Int32
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        var next: UInt64 = 0
        /// Cancelled while they were not entered.
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())
    private let wakeRead: Int32
    private let wakeWrite: Int32

    private init() {
        var ends: [Int32] = [-1, -1]
        let result = pipe(&ends)
        precondition(result == 0, "no pipe for the process watcher")
        (wakeRead, wakeWrite) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        var thread = pthread_t()
        let created = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<DescriptorWatcher>.fromOpaque(context).takeUnretainedValue().watch() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(created == 0, "no thread for the process watcher")
        pthread_detach(thread)
    }

    /// Whether the descriptor became readable before the deadline. It must stay open until this returns.
    func awaitReadable(_ descriptor: Int32, deadline: Duration) async throws -> Bool {
        let answer = try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask { await self.wait(descriptor) }
            group.addTask {
                try await Task.sleep(for: deadline)
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            while (try? await group.next()) != nil {}
            return first
        }
        try Task.checkCancellation()
        return answer ?? false
    }

    private func wait(_ descriptor: Int32) async -> Bool {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.waiters[id] = Waiter(descriptor: descriptor, continuation: continuation)
                    return false
                }
                if isCancelled { continuation.resume(returning: false) } else { wake() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: id)
                if waiter == nil { state.cancelled.insert(id) }
                return waiter
            }
            wake()
            waiter?.continuation.resume(returning: false)
        }
    }

    private func wake() {
        var byte: UInt8 = 1
        _ = write(wakeWrite, &byte, 1)
    }

    private func watch() {
        while true {
            let waiters = state.withLock { Array($0.waiters) }
            var descriptors = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
            descriptors += waiters.map { pollfd(fd: $0.value.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
            if descriptors[0].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 256)
                while read(wakeRead, &bytes, bytes.count) > 0 {}
            }
            for (descriptor, waiter) in zip(descriptors.dropFirst(), waiters) where descriptor.revents != 0 {
                let found = state.withLock { $0.waiters.removeValue(forKey: waiter.key) }
                found?.continuation.resume(returning: descriptor.revents & Int16(POLLIN) != 0)
            }
        }
    }
}
