import DurableFiles
import Glibc

/// Threads for hashing, compressing and reading and writing files, so that none of it holds the cooperative pool.
enum Workers {
    /// A thread for each core, and one more that may wait for a disk meanwhile.
    static let executor = DiskExecutor(threads: count + 1)

    static let count = max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await executor.run(work)
    }
}

/// Work that is done beside the caller, a bounded number of pieces at a time, and whose results are taken in the order
/// in which it was given.
struct OrderedTasks<Result: Sendable> {
    private let limit: Int
    private var tasks: [Task<Result, any Error>] = []
    private var next = 0

    init(limit: Int) {
        self.limit = limit
    }

    var isEmpty: Bool { next == tasks.count }
    /// Take a result before more is added.
    var isFull: Bool { tasks.count - next >= limit }

    mutating func add(_ work: @escaping @Sendable () async throws -> Result) {
        tasks.append(Task(executorPreference: Workers.executor) { try await work() })
    }

    /// The oldest result.
    ///
    /// - Precondition: not `isEmpty`.
    mutating func take() async throws -> Result {
        let task = tasks[next]
        next += 1
        if next > 64 {
            tasks.removeFirst(next)
            next = 0
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Ends what is under way and waits until it has ended.
    mutating func abandon() async {
        for task in tasks[next...] { task.cancel() }
        for task in tasks[next...] { _ = await task.result }
        tasks = []
        next = 0
    }
}

/// Does something for each element, a bounded number at a time; the results are in the order of the elements.
///
/// The first error ends it.
func concurrently<Element: Sendable, Result: Sendable>(
    _ elements: [Element], limit: Int = 16, _ work: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var results = [Result?](repeating: nil, count: elements.count)
        for (index, element) in elements.enumerated() {
            if index >= limit, let (done, result) = try await group.next() { results[done] = result }
            group.addTask(executorPreference: Workers.executor) { (index, try await work(element)) }
        }
        for try await (done, result) in group { results[done] = result }
        return results.compactMap { $0 }
    }
}
