import FleetTestSupport

/// Two servers that belong together: orders, and what was paid of them.
enum Shop {
    static let sets = """
        restoreSets:
          shop:
            members: [orders, payments]
            fence: {tables: {orders: [orders], payments: [payments]}, patience: 200ms}
            invariants:
              - name: what was paid was ordered
                subset:
                  keys: {member: payments, sql: "select w || '-' || n from payments"}
                  within: {member: orders, sql: "select w || '-' || n from orders"}
            transactions: "^tx-([0-9]+)-"
          backwards:
            members: [orders, payments]
            causality: [{cause: payments, effect: orders}]
        """

    static func make(
        in scratch: ScratchDirectory, payments: FleetFixture.Engine = .native
    ) async throws -> FleetFixture {
        let fleet = try await FleetFixture.make(
            in: scratch, instances: ["orders", "payments"],
            settings: [
                "max_connections": "30", "synchronous_commit": "off", "max_prepared_transactions": "20",
            ], further: sets,
            engines: ["payments": payments])
        try await fleet.server("orders").query("create table orders (w int, n int, primary key (w, n))")
        try await fleet.server("payments").query("create table payments (w int, n int, primary key (w, n))")
        try await fleet.fleet("backup", "orders", "payments").checked()
        return fleet
    }
}
