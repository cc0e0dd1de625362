internal import CLibPQ
import Synchronization

/// Asks servers to cancel what a connection is doing, on threads of its own: `PQcancel` blocks and knows no deadline.
enum CancelRequests {
    /// Best effort, returns at once. A server that hangs holds one thread, however many calls to it are given up.
    static func send(for handle: LibPQHandle, at place: String) {
        guard let pointer = unsafe PQgetCancel(handle.pointer) else { return }
        let request = unsafe CancelRequest(pointer)
        guard pending.withLock({ $0.count < limit && $0.insert(place).inserted }) else { return }
        Thread.detach {
            request.send()
            pending.withLock { _ = $0.remove(place) }
        }
    }

    private static let limit = 16
    private static let pending = Mutex<Set<String>>([])
}

/// The one owner of a `PGcancel`. `@unchecked Sendable`: libpq never changes it and lets any thread use it (manual,
/// section 34.7).
@safe private final class CancelRequest: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    func send() {
        // Nobody is left to hear the error.
        var message: [CChar] = Array(repeating: 0, count: 256)
        _ = unsafe PQcancel(pointer, &message, Int32(message.count))
    }
}
