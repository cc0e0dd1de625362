import FleetPluginAPI
import Synchronization
import Testing

@testable import FleetCoordinator

@Suite("Keys of two members")
struct KeyComparisonTests {
    /// Sorted keys in parts of so many.
    private final class Parts: KeyReader {
        private let rest: Mutex<ArraySlice<String>>
        private let size: Int

        init(_ keys: some Sequence<Int>, size: Int) {
            let sorted = Set(keys.map(String.init)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            rest = Mutex(sorted[...])
            self.size = size
        }

        func next() async throws -> [String] {
            rest.withLock { rest in
                defer { rest = rest.dropFirst(size) }
                return Array(rest.prefix(size))
            }
        }

        func close() async {}
    }

    @Test("what only one has is found, whatever the parts are", arguments: [1, 2, 7, 1000])
    func found(_ size: Int) async throws {
        for (left, right) in [
            (Array(0..<100), Array(0..<100)), (Array(0..<100), Array(50..<160)), ([], [1, 2, 3]), ([9], []), ([], []),
            (Array(stride(from: 0, to: 300, by: 3)), Array(stride(from: 0, to: 300, by: 2))),
        ] {
            var a = KeyCursor(Parts(left, size: size))
            var b = KeyCursor(Parts(right, size: size * 2))
            let comparison = try await KeyComparison(&a, &b)
            #expect(comparison.first == left.count && comparison.second == right.count)
            #expect(comparison.onlyFirst.count == Set(left).subtracting(right).count)
            #expect(comparison.onlySecond.count == Set(right).subtracting(left).count)
        }
        var a = KeyCursor(Parts(1...9, size: size))
        var b = KeyCursor(Parts([5], size: size))
        let text = try await KeyComparison(&a, &b).onlyFirst.text(of: "payments", notIn: "orders")
        #expect(text == "1, 2, 3 and 5 more of payments not in orders")
    }
}
