import FleetPluginAPI
import FleetTestSupport
import Foundation
import PostgresClient
import Synchronization
import Testing

/// Several databases at one point. What is checked is what a user would lose: an effect without its cause.
@Suite(.serialized)
struct RestoreSetSerial {
    private func make(
        _ scratch: ScratchDirectory, payments: FleetFixture.Engine = .native
    ) async throws -> FleetFixture {
        try await Shop.make(in: scratch, payments: payments)
    }

    private func marks(_ fleet: FleetFixture, _ arguments: String...) async throws -> JSONValue {
        let result = try await fleet.fleet(["-o", "json", "mark", "create"] + arguments).checked()
        return try JSONDecoder().decode(JSONValue.self, from: Data(result.output))["mark"] ?? .null
    }

    @Test func fencedMarksAreConsistentAndOthersAreSeenNotToBe() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            let report = try await fleet.json("set", "check", "--set", "shop")
            #expect(report["isReady"]?.bool == true && report["kind"]?.string == "fenced")
            let sagas = Sagas(orders: try fleet.server("orders"), payments: try fleet.server("payments"))
            let load = Task { try await sagas.run(workers: 4) }
            var cuts: [String: [Sagas.Cut]] = [:]
            do {
                for round in 0..<6 {
                    for (name, arguments) in [
                        ("fenced", ["--set", "shop"]), ("loose", ["--set", "shop", "--loose"]),
                        ("ordered", ["--set", "backwards"]),
                    ] where round < 2 || name == "fenced" {
                        let result = try await fleet.fleet(["-o", "json", "mark", "create"] + arguments).checked()
                        let mark = try #require(
                            try JSONDecoder().decode(JSONValue.self, from: Data(result.output))["mark"])
                        #expect(mark["state"]?.string == "archived")
                        let members = mark["members"]?.array ?? []
                        #expect(members.map { $0["instance"]?.string } == ["orders", "payments"])
                        #expect(members.allSatisfy { ($0["held"] == nil) == (name != "fenced") })
                        let points = members.compactMap { $0["lsn"]?.string }.compactMap { LSN($0) }
                        cuts[name, default: []].append(Sagas.Cut(orders: points[0], payments: points[1]))
                    }
                }
                // What somebody would do by hand: one member after the other.
                for number in 0..<6 {
                    var points: [LSN] = []
                    for name in ["orders", "payments"] {
                        let sql = "select pg_create_restore_point('by hand \(number)')"
                        points.append(try #require(LSN(try await fleet.server(name).value(sql))))
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    cuts["by hand", default: []].append(Sagas.Cut(orders: points[0], payments: points[1]))
                }
                load.cancel()
                _ = await load.result
            } catch {
                load.cancel()
                _ = await load.result
                throw error
            }
            #expect(sagas.count > 300)
            for cut in cuts["fenced"] ?? [] { #expect(sagas.violations(of: cut) == 0) }
            // An oracle that never objects proves nothing.
            let seen = (cuts["by hand"] ?? []).filter { sagas.violations(of: $0) > 0 }
            #expect(!seen.isEmpty, "cuts made by hand were all consistent")
            let list = try await fleet.json("mark", "list", "--limit", "100")
            #expect(list["marks"]?.array?.count == 10)
            #expect(Set(list["marks"]?.array?.compactMap { $0["name"]?.string } ?? []).count == 10)
        }
    }

    /// Three servers with clocks that are wrong and messages that are late, sagas and transfers in two phases, autovacuum
    /// and an index that is built meanwhile: what `Benchmarks/run-oracle` does hundreds of times.
    @Test func anOracleFindsNothingTornAtAFencedMark() async throws {
        try await withScratch { (scratch) async throws in
            let installation = try await PostgresInstallation.standard()
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../Benchmarks/run-oracle").standardizedFileURL.path
            let work = try scratch.directory("oracle", owner: ServerOwner.current)
            let result = try await runTool([
                "env", "TMPDIR=\(work)", script, "--restores", "2", "--kinds", "fenced,naive", "--fleet",
                FleetFixture.binary, "--bin", installation.binaries, "--json", scratch.path("figures.json"),
            ])
            #expect(result.exitCode == 0, "\(result.errors)")
            let figures = try JSONDecoder().decode(
                JSONValue.self, from: Data(contentsOf: URL(fileURLWithPath: scratch.path("figures.json"))))
            #expect(figures["fenced"]?["restores"]?.integer == 2 && figures["fenced"]?["violations"]?.integer == 0)
            #expect((figures["naive"]?["violations"]?.integer ?? 0) > 0)
        }
    }

    @Test(arguments: [FleetFixture.Engine.native, .pgbackrest])
    func aSetIsRestoredToItsMarkAndBack(_ engine: FleetFixture.Engine) async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch, payments: engine)
            let sagas = Sagas(orders: try fleet.server("orders"), payments: try fleet.server("payments"))
            try await sagas.run(workers: 3, for: .milliseconds(600))
            let load = Task { try await sagas.run(workers: 3) }
            let mark = try await marks(fleet, "--set", "shop")
            try await Task.sleep(for: .milliseconds(400))
            load.cancel()
            _ = await load.result
            let name = try #require(mark["name"]?.string)
            let before = try await counts(fleet)
            try await fleet.server("orders").query("delete from orders where n % 2 = 0")
            // A mark after the accident, and of the newest marks the one before a time is chosen.
            let time = Timestamp.now
            try await Task.sleep(for: .milliseconds(50))
            _ = try await marks(fleet, "--set", "shop")
            let plan = try await fleet.json(
                "restore", "--set", "shop", "--target", time.description, "--dry-run", "--no-backup")
            #expect(plan["title"]?.string?.contains(name) == true)
            #expect(plan["set"]?["mark"]?["name"]?.string == name)
            let done = try await fleet.fleet(
                "restore", "--set", "shop", "--target", time.description, "--yes", "--no-backup")
            #expect(done.exitCode == 0, "\(done.errors)")
            let after = try await counts(fleet)
            #expect(after.orders > 0 && after.orders <= before.orders && after.payments <= before.payments)
            let broken = try await fleet.server("orders").value("select count(*) from orders where n % 2 = 0")
            #expect(Int(broken).map { $0 > 0 } == true, "the accident is undone")
            let cut = Sagas.Cut(
                orders: try #require(mark["members"]?.array?[0]["lsn"]?.string.flatMap { LSN($0) }),
                payments: try #require(mark["members"]?.array?[1]["lsn"]?.string.flatMap { LSN($0) }))
            #expect(sagas.violations(of: cut) == 0)
            // Marks of the abandoned future are not taken, and new ones are of another epoch.
            let next = try await marks(fleet, "--set", "shop")
            #expect(next["epoch"]?.integer == 1)
            let latest = try await fleet.json("restore", "--set", "shop", "--target", "latest", "--dry-run")
            #expect(latest["set"]?["mark"]?["name"]?.string == next["name"]?.string)
            let runs = try await fleet.json("runs", "list")
            let run = try #require(
                runs["runs"]?.array?.first { $0["kind"]?.string == "restore" }?["id"]?.string)
            let verdict = try await fleet.json("runs", "show", run)["verdict"]
            #expect(verdict?["kind"]?.string == "fenced" && verdict?["cut"]?.string == name)
            #expect(verdict?["invariants"]?.array?.allSatisfy { $0["passed"]?.bool == true } == true)
            let stood = verdict?["members"]?.array?.compactMap { $0["restoredTo"]?.string.flatMap { LSN($0) } }
            #expect(stood == [cut.orders, cut.payments])
            let undone = try await fleet.fleet("runs", "undo", run, "--yes")
            #expect(undone.exitCode == 0, "\(undone.errors)")
            #expect(
                try await fleet.server("orders").value("select count(*) from orders where n % 2 = 0") == "0")
        }
    }

    @Test func membersThatDoNotAgreeAreAllPutBack() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            try await fleet.server("orders").query("insert into orders values (1, 1), (1, 2)")
            // What the invariant forbids, and a loose mark happily marks.
            try await fleet.server("payments").query("insert into payments values (1, 1), (1, 2), (7, 7)")
            let mark = try await marks(fleet, "--set", "shop", "--loose")
            let name = try #require(mark["name"]?.string)
            try await fleet.server("payments").query("delete from payments where w = 7")
            let unasked = try await fleet.fleet("restore", "--set", "shop", "--target", "latest", "--yes")
            #expect(unasked.exitCode == 3 && unasked.errors.contains("no usable mark"), "\(unasked.errors)")
            let result = try await fleet.fleet("restore", "--set", "shop", "--target", "mark:\(name)", "--yes")
            #expect(result.exitCode == 1)
            #expect(result.errors.contains("7-7 of payments not in orders"), "\(result.errors)")
            #expect((result.text + result.errors).contains("is loose"))
            for name in ["orders", "payments"] {
                #expect(try await fleet.server(name).value("select pg_is_in_recovery()") == "f")
            }
            #expect(try await counts(fleet).payments == 2)
        }
    }

    @Test func whereNoMarkCanBeMadeNobodyIsHeld() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            let payments = try fleet.server("payments")
            // A writer that does not end: the fence gives way each time, and in the end there is no mark.
            let writer = try await PostgresConnection.connect(
                .init(host: payments.socketDirectory, port: payments.port, user: "postgres"),
                deadline: .now + .seconds(10))
            try await writer.query("begin", deadline: .now + .seconds(5))
            try await writer.query("insert into payments values (0, 0)", deadline: .now + .seconds(5))
            let began = ContinuousClock.now
            let blocked = Task { try await fleet.fleet("mark", "create", "--set", "shop") }
            var slowest = Duration.zero
            while ContinuousClock.now - began < .seconds(5) {
                let start = ContinuousClock.now
                try await fleet.server("orders").query("insert into orders values (9, (random() * 1e9)::int)")
                slowest = max(slowest, ContinuousClock.now - start)
                try await Task.sleep(for: .milliseconds(20))
            }
            try await writer.query("commit", deadline: .now + .seconds(5))
            let result = try await blocked.value
            #expect(result.exitCode == 0, "once the writer had ended: \(result.errors)")
            #expect(slowest < .seconds(3), "a writer of the other member waited for \(slowest)")
            await writer.close()

            // One after the other, until it is ended.
            let service = try await fleet.launch("mark", "create", "--set", "shop", "--every", "1s")
            try await waitUntil("marks are made by themselves") {
                try await fleet.json("mark", "list", "--set", "shop")["marks"]?.array?.count ?? 0 >= 3
            }
            service.child.signal(SIGTERM)
            #expect(await service.child.wait() == 0)

            try await payments.stop()
            let down = try await fleet.fleet("mark", "create", "--set", "shop")
            #expect(down.exitCode == 1 && down.errors.contains("payments"), "\(down.errors)")
            let report = try await fleet.fleet("-o", "json", "set", "check", "--set", "shop")
            #expect(report.exitCode == 1)
            let list = try await fleet.json("mark", "list", "--set", "shop")
            #expect(list["marks"]?.array?.first?["state"]?.string == "failed")
            let unknown = try await fleet.fleet("mark", "create", "--set", "nothing")
            #expect(unknown.exitCode == 2 && unknown.errors.contains("shop"))
        }
    }

    /// What spans members in two phases is whole after a restore: what one side has committed is committed on the other,
    /// and what none has is rolled back.
    @Test func transactionsThatWerePreparedAreFinished() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            let orders = try fleet.server("orders")
            let payments = try fleet.server("payments")
            func prepare(_ number: Int) async throws {
                for (server, table) in [(orders, "orders"), (payments, "payments")] {
                    try await server.query(
                        "begin; insert into \(table) values (50, \(number)); prepare transaction 'tx-\(number)-\(table)'"
                    )
                }
            }
            // Decided on both, on one, on none; and one that only one of them knows.
            for number in 1...3 { try await prepare(number) }
            try await orders.query("commit prepared 'tx-1-orders'")
            try await payments.query("commit prepared 'tx-1-payments'")
            try await orders.query("commit prepared 'tx-2-orders'")
            try await payments.query("begin; insert into payments values (60, 4); prepare transaction 'tx-4-payments'")
            let mark = try await marks(fleet, "--set", "shop", "--loose")
            let name = try #require(mark["name"]?.string)
            #expect(mark["members"]?.array?.map { $0["preparedTransactions"]?.integer } == [1, 3])
            try await payments.query("commit prepared 'tx-2-payments'")
            for (server, table) in [(orders, "orders"), (payments, "payments")] {
                try await server.query("rollback prepared 'tx-3-\(table)'")
            }
            try await payments.query("rollback prepared 'tx-4-payments'")
            let result = try await fleet.fleet(
                "restore", "--set", "shop", "--target", "mark:\(name)", "--yes", "--no-backup")
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(result.errors.contains("committed the prepared transaction tx-2-payments of payments"))
            #expect(result.errors.contains("rolled back the prepared transaction tx-3-orders of orders"))
            #expect(try await orders.value("select count(*) from pg_prepared_xacts") == "0")
            // WAL from before it was prepared is not there to say that the other side never was.
            #expect(result.errors.contains("nobody can tell what became of the transaction 4"))
            #expect(try await payments.value("select gid from pg_prepared_xacts") == "tx-4-payments")
            #expect(
                try await orders.value("select string_agg(n::text, ' ' order by n) from orders where w >= 50") == "1 2")
            #expect(
                try await payments.value("select string_agg(n::text, ' ' order by n) from payments where w >= 50")
                    == "1 2")
        }
    }

    /// Without a mark there is a time by each member's clock, and it is called what it is.
    @Test func withoutAMarkThereIsATimeThatIsNeverCalledConsistent() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            for (name, table) in [("orders", "orders"), ("payments", "payments")] {
                try await fleet.server(name).query("insert into \(table) values (1, 1)")
            }
            try await Task.sleep(for: .milliseconds(100))
            let time = Timestamp.now
            try await Task.sleep(for: .milliseconds(100))
            for (name, table) in [("orders", "orders"), ("payments", "payments")] {
                try await fleet.server(name).query("insert into \(table) values (2, 2)")
            }
            let unmarked = try await fleet.fleet("restore", "--set", "shop", "--target", time.description, "--yes")
            #expect(unmarked.exitCode == 3 && unmarked.errors.contains("--approximate"), "\(unmarked.errors)")
            let old = try await fleet.fleet("restore", "--set", "shop", "--target", "-2h", "--approximate", "--dry-run")
            #expect(old.exitCode == 3 && old.errors.contains("clockTolerance"), "\(old.errors)")
            let result = try await fleet.fleet(
                "restore", "--set", "shop", "--target", time.description, "--approximate", "--yes", "--no-backup")
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect((result.text + result.errors).contains("not consistent"))
            #expect(try await counts(fleet) == (1, 1))
            let runs = try await fleet.json("runs", "list")
            let run = try #require(runs["runs"]?.array?.first?["id"]?.string)
            let verdict = try await fleet.json("runs", "show", run)["verdict"]
            #expect(verdict?["kind"]?.string == "approximate")
            #expect(verdict?["statement"]?.string?.contains("not consistent") == true)
        }
    }

    /// Without a mark a cut is looked for at which the invariants hold, in copies that are gone afterwards.
    @Test func aCutIsSearchedAtWhichTheMembersAgree() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch, payments: .pgbackrest)
            let orders = try fleet.server("orders")
            let payments = try fleet.server("payments")
            for n in 1...20 {
                try await orders.query("insert into orders values (1, \(n))")
                try await payments.query("insert into payments values (1, \(n))")
            }
            try await Task.sleep(for: .milliseconds(600))
            // Paid before it is ordered, as by a clock that is off.
            for n in 21...25 { try await payments.query("insert into payments values (1, \(n))") }
            try await orders.query("insert into orders values (1, 21), (1, 22), (1, 90)")
            let time = Timestamp.now
            try await Task.sleep(for: .milliseconds(100))
            for n in 23...25 { try await orders.query("insert into orders values (1, \(n))") }
            let target = time.description
            let unmarked = try await fleet.fleet("restore", "--set", "shop", "--target", target, "--yes")
            #expect(unmarked.exitCode == 3 && unmarked.errors.contains("--search"), "\(unmarked.errors)")
            let unasked = try await fleet.fleet("restore", "--set", "shop", "--target", target, "--search")
            #expect(unasked.exitCode == 3 && unasked.errors.contains("nothing was searched"), "\(unasked.errors)")
            let result = try await fleet.fleet(
                "restore", "--set", "shop", "--target", target, "--search", "--yes", "--no-backup")
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(try await orders.value("select max(n) from orders") == "90")
            #expect(try await counts(fleet) == (23, 22))
            let runs = try await fleet.json("runs", "list")["runs"]?.array ?? []
            #expect(runs.prefix(2).map { $0["kind"]?.string } == ["restore", "search"])
            let verdict = try await fleet.json("runs", "show", #require(runs[0]["id"]?.string))["verdict"]
            #expect(verdict?["kind"]?.string == "searched")
            #expect(verdict?["statement"]?.string?.contains("not known to be whole") == true)
            #expect(verdict?["search"]?["rejected"]?["passed"]?.bool == false)
            let found = try await fleet.json("runs", "show", #require(runs[1]["id"]?.string))["verdict"]
            #expect(found?["members"]?.array?.count == 2 && found?["invariants"]?.array?.isEmpty == false)
            // Nothing is left of the copies, and what was searched can be taken back like any other restore.
            let left = try FileManager.default.contentsOfDirectory(atPath: scratch.path(""))
                .filter { $0.contains("search") }
            #expect(left.isEmpty, "\(left)")
            try await fleet.fleet("runs", "undo", #require(runs[0]["id"]?.string), "--yes").checked()
            #expect(try await counts(fleet) == (26, 25))
        }
    }

    /// A search that is killed leaves copies that its run knows of.
    @Test func aSearchThatIsKilledIsPutAway() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            try await fleet.server("orders").query("insert into orders values (1, 1)")
            try await fleet.server("payments").query("insert into payments values (1, 1)")
            try await Task.sleep(for: .milliseconds(100))
            try await fleet.server("payments").query("insert into payments values (1, 2)")
            let target = Timestamp.now.description
            try await Task.sleep(for: .milliseconds(100))
            let arguments = ["restore", "--set", "shop", "--target", target, "--search", "--dry-run"]
            let search = try await fleet.launch(arguments)
            var isSearching = false
            for _ in 0..<300 where !isSearching {
                try await Task.sleep(for: .milliseconds(50))
                let run = try await fleet.json("runs", "list")["runs"]?.array?.first?["id"]?.string
                guard let run else { continue }
                isSearching =
                    try await fleet.json("runs", "show", run)["run"]?["steps"]?.array?
                    .contains { $0["kind"]?.string == "search" && $0["state"]?.string == "running" } == true
            }
            await search.kill()
            #expect(isSearching)
            let run = try #require(try await fleet.json("runs", "list")["runs"]?.array?.first?["id"]?.string)
            let second = try await fleet.fleet(arguments)
            #expect(second.exitCode != 0 && second.errors.contains(run), "\(second.errors)")
            try await fleet.fleet("runs", "resume", run).checked()
            let found = try await fleet.json("runs", "show", run)
            #expect(found["run"]?["state"]?.string == "succeeded" && found["verdict"]?["kind"]?.string == "searched")
            let plan = try JSONDecoder().decode(
                JSONValue.self, from: Data(try await fleet.fleet(["-o", "json"] + arguments).checked().output))
            #expect(plan["set"]?["cut"]?["kind"]?.string == "searched")
            #expect(try await counts(fleet) == (1, 2))
        }
    }

    /// Copies of all members, at one mark, beside those that go on.
    @Test func aSetIsCopied() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            try await fleet.server("orders").query("insert into orders values (1, 1)")
            try await fleet.server("payments").query("insert into payments values (1, 1)")
            _ = try await marks(fleet, "--set", "shop")
            try await fleet.server("orders").query("insert into orders values (1, 2)")
            let report = try await fleet.json(
                "restore", "--set", "shop", "--target", "latest", "--into", "yesterday=\(scratch.path("copies"))",
                "--yes")
            #expect(
                report["endpoints"]?.array?.map { $0["name"]?.string } == ["yesterday-orders", "yesterday-payments"])
            #expect(report["run"]?["steps"]?.array?.contains { $0["kind"]?.string == "agree" } == true)
            #expect(report["run"]?["steps"]?.array?.contains { $0["kind"]?.string == "epoch" } == false)
            #expect(try await counts(fleet) == (2, 1))
            try await fleet.fleet("runs", "undo", #require(report["run"]?["id"]?.string), "--yes").checked()
        }
    }

    /// Whoever makes a mark may die at any moment: nobody waits for it, and the mark is not taken for one.
    @Test func aFenceWhoseMakerIsKilledLetsGo() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            for delay in [60, 90, 120, 150, 200, 300, 450] {
                let maker = try await fleet.launch("mark", "create", "--set", "shop")
                try await Task.sleep(for: .milliseconds(delay))
                await maker.kill()
                let start = ContinuousClock.now
                try await fleet.server("orders").query("insert into orders values (1, \(delay))")
                try await fleet.server("payments").query("insert into payments values (1, \(delay))")
                #expect(ContinuousClock.now - start < .seconds(3), "after \(delay) ms")
            }
            let list = try await fleet.json("mark", "list", "--set", "shop")
            for mark in list["marks"]?.array ?? [] {
                let isWhole = mark["members"]?.array?.count == 2
                #expect(isWhole || mark["state"]?.string == "pending", "\(mark)")
            }
            _ = try await marks(fleet, "--set", "shop")
        }
    }

    private func counts(_ fleet: FleetFixture) async throws -> (orders: Int, payments: Int) {
        (
            Int(try await fleet.server("orders").value("select count(*) from orders")) ?? -1,
            Int(try await fleet.server("payments").value("select count(*) from payments")) ?? -1
        )
    }
}

/// Workers that write an order to one server, wait until that is acknowledged, and then its payment to the other.
private final class Sagas: Sendable {
    private let orders: PostgresServer
    private let payments: PostgresServer
    private let done = Mutex<[Saga]>([])
    private let next = Mutex<[Int: Int]>([:])

    /// The order's commit is at or after `ordered`, the payment's at or before `paid`.
    private struct Saga: Sendable {
        var ordered: LSN
        var paid: LSN
    }

    struct Cut {
        var orders: LSN
        var payments: LSN
    }

    init(orders: PostgresServer, payments: PostgresServer) {
        self.orders = orders
        self.payments = payments
    }

    var count: Int { done.withLock { $0.count } }

    /// Payments that are certainly in a cut which certainly has not their orders.
    func violations(of cut: Cut) -> Int {
        done.withLock { sagas in sagas.filter { $0.paid <= cut.payments && $0.ordered >= cut.orders }.count }
    }

    func run(workers: Int, for duration: Duration? = nil) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers { group.addTask { try await self.work(worker, duration) } }
            try await group.waitForAll()
        }
    }

    private func work(_ worker: Int, _ duration: Duration?) async throws {
        let a = try await connect(orders)
        let b = try await connect(payments)
        let end = duration.map { ContinuousClock.now + $0 }
        while !Task.isCancelled, end.map({ ContinuousClock.now < $0 }) ?? true {
            let n = next.withLock { next in
                next[worker, default: 0] += 1
                return next[worker] ?? 0
            }
            let ordered = try await a.query(
                "insert into orders values (\(worker), \(n)) returning pg_current_wal_insert_lsn() as lsn",
                deadline: .now + .seconds(20)
            ).row().text("lsn")
            try await b.query("insert into payments values (\(worker), \(n))", deadline: .now + .seconds(20))
            let paid = try await b.query(
                "select pg_current_wal_insert_lsn() as lsn", deadline: .now + .seconds(20)
            ).row().text("lsn")
            if let ordered = LSN(ordered), let paid = LSN(paid) {
                done.withLock { $0.append(Saga(ordered: ordered, paid: paid)) }
            }
        }
        await a.close()
        await b.close()
    }

    private func connect(_ server: PostgresServer) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            .init(host: server.socketDirectory, port: server.port, user: server.user),
            deadline: .now + .seconds(10))
    }
}
