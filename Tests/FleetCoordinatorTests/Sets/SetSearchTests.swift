import FleetConfig
import FleetPluginAPI
import Testing

@testable import FleetCoordinator

/// The search over members that exist in memory: each commit adds keys to a member, or takes some away.
@Suite struct SetSearchTests {
    private struct Commit {
        /// Milliseconds after the beginning.
        var at: Int
        var adds: [String] = []
        var removes: [String] = []
    }

    /// Keys of each member after so many of its commits.
    private final class Model: CutProber {
        private let states: [String: [LSN: Set<String>]]
        let histories: [String: CommitHistory]
        let times: [String: Timestamp]

        /// - Parameter end: the time asked for, in milliseconds.
        init(_ members: [String: [Commit]], end: Int) {
            var states: [String: [LSN: Set<String>]] = [:]
            var histories: [String: CommitHistory] = [:]
            for (member, commits) in members {
                var keys: Set<String> = []
                var list: [WALSegmentSummary.TransactionEnd] = []
                states[member] = [:]
                for (index, commit) in commits.enumerated() where commit.at <= end {
                    keys = keys.union(commit.adds).subtracting(commit.removes)
                    let lsn = LSN(UInt64(index + 1) * 100)
                    states[member]?[lsn] = keys
                    list.append(
                        .init(
                            start: LSN(lsn.rawValue - 50), end: lsn, time: Self.time(commit.at), xid: UInt32(index),
                            isCommit: true))
                }
                let all = list
                // In parts of three, as segments have some each.
                histories[member] = CommitHistory(top: all.last?.end ?? .zero, floor: .zero, parts: (all.count + 2) / 3)
                {
                    Array(all[($0 * 3)..<min(all.count, $0 * 3 + 3)])
                }
            }
            self.states = states
            self.histories = histories
            times = members.mapValues { _ in Self.time(end) }
        }

        static func time(_ milliseconds: Int) -> Timestamp {
            Timestamp(microseconds: 1_700_000_000_000_000 + Int64(milliseconds) * 1000)
        }

        func keys(_ member: String, _ cut: [String: CommitHistory.Position]) throws -> Set<String> {
            let position = try #require(cut[member])
            return try #require(states[member]?[position.lsn])
        }

        func result(
            of invariant: Invariant, at cut: [String: CommitHistory.Position]
        ) async throws -> DataCheckResult {
            switch invariant.rule {
            case .subset(let keys, let within):
                let extra = try self.keys(keys.member, cut).subtracting(self.keys(within.member, cut))
                return DataCheckResult(
                    check: invariant.name, passed: extra.isEmpty, value: nil, reason: "\(extra.count) more")
            case .sum(let queries, let expected):
                let sum = try queries.reduce(0) { try $0 + Double(keys($1.member, cut).count) }
                return DataCheckResult(check: invariant.name, passed: sum == expected, value: "\(sum)", reason: "sum")
            case .equal, .check: throw FixtureError("\(invariant) is not asked")
            }
        }
    }

    private static func query(_ member: String) -> Invariant.Query { .init(member: member, database: "d", sql: "") }

    private static func subset(_ effect: String, _ cause: String) -> Invariant {
        Invariant(name: "\(effect) in \(cause)", rule: .subset(query(effect), within: query(cause)))
    }

    private func search(
        _ model: Model, _ invariants: [Invariant], reach: Duration = .milliseconds(500)
    ) async throws -> SetSearch.Found {
        var search = SetSearch(
            invariants: invariants, reach: reach, times: model.times, histories: model.histories, prober: model,
            log: { _ in })
        return try await search.run()
    }

    @Test func whereNothingIsAmissTheTimeItselfServes() async throws {
        let model = Model(
            ["a": [Commit(at: 10, adds: ["1"]), Commit(at: 20, adds: ["2"])], "b": [Commit(at: 15, adds: ["1"])]],
            end: 100)
        let found = try await search(model, [Self.subset("b", "a")])
        #expect(try model.keys("a", found.cut) == ["1", "2"] && model.keys("b", found.cut) == ["1"])
        #expect(found.probes == 1 && found.rejected == nil)
    }

    /// What is taken back on one member may have had effects on the next one.
    @Test(arguments: [1, 7, 40]) func aRollbackGoesOnFromMemberToMember(_ late: Int) async throws {
        // 100 chains a → b → c, 10 ms each; the last ones have lost their causes.
        var a: [Commit] = []
        var b: [Commit] = []
        var c: [Commit] = []
        for n in 0..<100 {
            if n < 100 - late { a.append(Commit(at: n * 10, adds: ["\(n)"])) }
            b.append(Commit(at: n * 10 + 3, adds: ["\(n)"]))
            c.append(Commit(at: n * 10 + 6, adds: ["\(n)"]))
        }
        let model = Model(["a": a, "b": b, "c": c], end: 2000)
        let found = try await search(
            model, [Self.subset("c", "b"), Self.subset("b", "a")], reach: .milliseconds(2000))
        let kept = Set((0..<(100 - late)).map(String.init))
        for member in ["a", "b", "c"] { #expect(try model.keys(member, found.cut) == kept) }
        #expect(found.probes < 40, "\(found.probes)")
    }

    /// Rows that were deleted by mistake: no member's effects are to blame, and all go back together.
    @Test func anAccidentIsGoneBackBeyond() async throws {
        var a = (0..<50).map { Commit(at: $0 * 100, adds: ["\($0)"]) }
        var b = (0..<50).map { Commit(at: $0 * 100 + 20, adds: ["\($0)"]) }
        a.append(Commit(at: 5000, removes: (0..<50).map(String.init).filter { $0.hasSuffix("3") }))
        a += (51..<90).map { Commit(at: $0 * 100, adds: ["\($0)"]) }
        b += (51..<90).map { Commit(at: $0 * 100 + 20, adds: ["\($0)"]) }
        let model = Model(["a": a, "b": b], end: 8950)
        let found = try await search(model, [Self.subset("b", "a")])
        #expect(try model.keys("a", found.cut).count == 50 && model.keys("b", found.cut).count == 50)
        #expect(found.rejected?.passed == false)
    }

    @Test func whatIsEqualIsTakenBackOnTheSideThatHasMore() async throws {
        let model = Model(
            [
                "a": [Commit(at: 10, adds: ["1"]), Commit(at: 300, adds: ["2"])],
                "b": [Commit(at: 12, adds: ["1"]), Commit(at: 310, adds: ["3"])],
            ], end: 400)
        let found = try await search(
            model, [Invariant(name: "same", rule: .equal([Self.query("a"), Self.query("b")]))])
        #expect(try model.keys("a", found.cut) == ["1"] && model.keys("b", found.cut) == ["1"])
    }

    @Test func aSumIsLookedForInTime() async throws {
        // One moves from a to b every second; in between there is one less.
        let all = (0..<20).map(String.init)
        let a = [Commit(at: 0, adds: all)] + (0..<20).map { Commit(at: 1000 + $0 * 1000, removes: ["\($0)"]) }
        let b = [Commit(at: 1)] + (0..<20).map { Commit(at: 1400 + $0 * 1000, adds: ["\($0)"]) }
        let model = Model(["a": a, "b": b], end: 15_200)
        let sum = Invariant(name: "sum", rule: .sum([Self.query("a"), Self.query("b")], equals: 20))
        let found = try await search(model, [sum])
        #expect(try model.keys("a", found.cut).count + model.keys("b", found.cut).count == 20)
        let last = try #require(found.cut.values.compactMap(\.time).max())
        #expect(last >= Model.time(13_400), "\(last)")
    }

    @Test func whereThereIsNoneItIsRefused() async throws {
        let model = Model(["a": [Commit(at: 0)], "b": [Commit(at: 0, adds: ["1"])]], end: 60_000)
        let error = await #expect(throws: FleetError.self) { try await search(model, [Self.subset("b", "a")]) }
        #expect(error?.code == .refused && error?.cause?.contains("1 more") == true, "\(String(describing: error))")
    }
}

private struct FixtureError: Error {
    var text: String
    init(_ text: String) { self.text = text }
}
