import FleetPluginAPI
import FleetStore
import Testing

@Suite struct MarkTests {
    @Test(arguments: StoreKind.allCases)
    func namesAreNeverUsedTwice(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            let now = fixture.clock.now
            // Side by side, as two coordinators would.
            let names = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await store.beginMark(set: "shop", kind: .fenced, by: "ann", at: now).name }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(names == Set((1...8).map { "flt.shop.0.\($0).fenced" }))
            #expect(try await store.raiseEpoch(of: "shop") == 1)
            let next = try await store.beginMark(set: "shop", kind: .loose, by: "ann", at: now + .seconds(1))
            #expect(next.name == "flt.shop.1.9.loose" && next.epoch == 1 && next.state == .pending)
            let other = try await store.beginMark(set: "other", kind: .ordered, by: "ann", at: now + .seconds(2))
            #expect(other.name == "flt.other.0.1.ordered")
            #expect(try await store.epoch(of: "shop") == 1)
            #expect(try await store.epoch(of: "nobody") == 0)
            await #expect(throws: FleetError.self) {
                _ = try await store.beginMark(
                    set: String(repeating: "x", count: 60), kind: .loose, by: "ann", at: now)
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func whatIsKnownOfOneIsReplaced(_ kind: StoreKind) async throws {
        try await withStore(kind) { fixture in
            let store = fixture.store
            let now = fixture.clock.now
            var mark = try await store.beginMark(set: "shop", kind: .fenced, by: "ann", at: now)
            let facts = FenceFacts(
                systemIdentifier: SystemIdentifier(rawValue: 7), timeline: 3, isInRecovery: false, startedAt: now,
                preparedTransactions: 1, oldestWriter: nil, deniedTables: [], mayMark: true)
            mark.members = [.init(instance: "orders", database: "shop", facts: facts)]
            mark.members[0].lsn = LSN(0x3000028)
            mark.members[0].acknowledged = .microseconds(417)
            mark.members[0].clockAhead = .init(lower: -5, upper: 9)
            mark.state = .archived
            try await store.saveMark(mark)
            _ = try await store.beginMark(set: "shop", kind: .loose, by: "ann", at: now + .seconds(5))
            #expect(try await store.marks(of: "shop", limit: 10).map(\.sequence) == [2, 1])
            #expect(try await store.marks(of: nil, limit: 1).map(\.sequence) == [2])
            #expect(try await store.marks(of: "shop", limit: 10).last == mark)
            #expect(mark.skew == .microseconds(417))
            mark.name = "flt.shop.0.99.fenced"
            let unknown = mark
            await #expect(throws: FleetError.self) { try await store.saveMark(unknown) }
        }
    }
}
