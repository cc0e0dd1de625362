import FleetPluginAPI
import Testing

@testable import FleetCoordinator

@Suite("Transactions that span members")
struct ReconciliationTests {
    private typealias Side = Reconciliation.Side

    @Test(
        "what is decided follows from what every member knows",
        arguments: [
            ([.committed, .prepared], .commit), ([.committed, .committed], .commit),
            ([.prepared, .prepared], .rollBack),
            ([.prepared, .absent], .rollBack), ([.prepared, .rolledBack], .rollBack), ([.prepared], .rollBack),
            ([.committed, .absent], .broken), ([.committed, .rolledBack, .prepared], .broken),
            ([.committed, .unknown], .undecided), ([.prepared, .unknown], .undecided),
            ([.committed, .absent, .unknown], .broken),
        ] as [([Reconciliation.Side], Reconciliation.Decision)])
    func decisions(_ sides: [Reconciliation.Side], _ decision: Reconciliation.Decision) {
        #expect(Reconciliation.decide(sides) == decision)
        #expect(Reconciliation.decide(sides.reversed()) == decision)
    }

    @Test("sides of one transaction are told by their names")
    func keys() throws {
        #expect(Reconciliation.key("131077_AAEC_Ag==", nil) == Reconciliation.key("131077_AAEC_BQ==", nil))
        #expect(Reconciliation.key("131077_AAEC_Ag==", nil) != Reconciliation.key("131077_AAED_Ag==", nil))
        #expect(Reconciliation.key("my_own_name", nil) == "my_own_name")
        let pattern = try Regex("^tx-([0-9]+)-")
        #expect(Reconciliation.key("tx-7-orders", pattern) == Reconciliation.key("tx-7-payments", pattern))
        #expect(Reconciliation.key("other", pattern) == "other")
    }
}
