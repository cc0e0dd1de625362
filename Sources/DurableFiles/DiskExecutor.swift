import Glibc
import Synchronization

/// Threads for blocking disk I/O, so that a slow disk never holds a thread of the cooperative pool.
///
/// At most `threads` calls run at once; the rest wait in order. Also a `TaskExecutor`, for tasks that do little but
/// disk work.
public final class DiskExecutor: TaskExecutor {
    /// The one that everything uses unless told otherwise.
    public static let shared = DiskExecutor(threads: 8)

    private let queue: WorkQueue

    public init(threads: Int) {
        queue = WorkQueue(limit: max(1, threads))
    }

    deinit {
        queue.close()
    }

    /// Runs blocking work on one of the threads and waits for its result without blocking.
    ///
    /// - Throws: what `work` throws, or `CancellationError` when the task is cancelled before the work has begun. Work
    ///   that has begun runs to its end.
    public func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { continuation in
            queue.add { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        queue.add { [self] in
            withExtendedLifetime(self) { job.runSynchronously(on: executor) }
        }
    }
}

/// A queue served by up to `limit` threads, which are started when first needed and end when it is closed.
private final class WorkQueue: @unchecked Sendable {
    typealias Work = @Sendable () -> Void

    // Everything below is guarded by `mutex`; both pointers live as long as the queue.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let ready: UnsafeMutablePointer<pthread_cond_t>
    private let limit: Int
    private var waiting: [Work] = []
    private var next = 0
    private var threads = 0
    private var idle = 0
    private var isClosed = false

    init(limit: Int) {
        self.limit = limit
        mutex = .allocate(capacity: 1)
        ready = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(ready, nil)
    }

    deinit {
        pthread_cond_destroy(ready)
        pthread_mutex_destroy(mutex)
        ready.deallocate()
        mutex.deallocate()
    }

    func add(_ work: @escaping Work) {
        pthread_mutex_lock(mutex)
        waiting.append(work)
        let wanted = idle < waiting.count - next && threads < limit
        if wanted { threads += 1 }
        pthread_cond_signal(ready)
        pthread_mutex_unlock(mutex)
        if wanted { startThread() }
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(ready)
        pthread_mutex_unlock(mutex)
    }

    private func startThread() {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(
            &thread, &attributes,
            { context in
                if let context {
                    Unmanaged<WorkQueue>.fromOpaque(context).takeRetainedValue().serve()
                }
                return nil
            }, context)
        pthread_attr_destroy(&attributes)
        guard result != 0 else { return }
        Unmanaged<WorkQueue>.fromOpaque(context).release()
        pthread_mutex_lock(mutex)
        threads -= 1
        let served = threads > 0
        pthread_mutex_unlock(mutex)
        precondition(served, "no thread can be started for disk I/O: \(result)")
    }

    private func serve() {
        pthread_mutex_lock(mutex)
        while true {
            while next == waiting.count, !isClosed {
                idle += 1
                pthread_cond_wait(ready, mutex)
                idle -= 1
            }
            guard next < waiting.count else { break }
            let work = waiting[next]
            waiting[next] = {}
            next += 1
            if next == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                next = 0
            }
            pthread_mutex_unlock(mutex)
            work()
            pthread_mutex_lock(mutex)
        }
        threads -= 1
        pthread_mutex_unlock(mutex)
    }
}
