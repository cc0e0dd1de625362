internal import CLibPQ
import Glibc
import Synchronization

/// Threads for calls that block, so that none of the cooperative pool's has to.
enum Thread {
    /// Runs `body` on a new thread.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, box)
        unsafe pthread_attr_destroy(&attributes)
        // Without a thread the caller blocks: slow, but right.
        if status != 0 { unsafe Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run() }
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
