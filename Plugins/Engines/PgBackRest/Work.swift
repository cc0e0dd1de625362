import DurableFiles
import Glibc

/// Threads for decompressing and reading WAL, so that none of it holds the cooperative pool.
enum Work {
    private static let executor = DiskExecutor(threads: count)

    static let count = max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await executor.run(work)
    }

    /// Does something for each element, a few at a time; the results are in no order.
    static func concurrently<Element: Sendable, Result: Sendable>(
        _ elements: some Collection<Element>, limit: Int = 4,
        _ work: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { group in
            var results: [Result] = []
            for (index, element) in elements.enumerated() {
                if index >= limit, let result = try await group.next() { results.append(result) }
                group.addTask { try await work(element) }
            }
            for try await result in group { results.append(result) }
            return results
        }
    }
}
