import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// Restores for proof: real copies, looked through, timed, kept as evidence, and gone afterwards.
@Suite(.serialized) struct DrillSerial {
    private static let checks = "[{name: rows, sql: select count(*) from rows, atLeast: 1}]\n    policy: gold"
    private static let policies = "policies: {gold: {rto: 10m, drill: {every: 30d}}, hasty: {rto: 1ms}}"

    private func make(
        _ scratch: ScratchDirectory, policies: String = policies, checks: String = checks
    ) async throws -> FleetFixture {
        let fleet = try await FleetFixture.make(in: scratch, checks: checks, further: policies)
        try await fleet.server().query("create table rows (n int primary key)")
        try await fleet.server().query("insert into rows select generate_series(1, 5000)")
        try await fleet.fleet("backup", "orders").checked()
        try await fleet.server().query("insert into rows select generate_series(5001, 6000)")
        _ = try await fleet.server().query("select pg_switch_wal()")
        try await fleet.server().query("insert into rows select generate_series(6001, 7000)")
        return fleet
    }

    @Test func aDrillIsEvidence() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            let before = try await fleet.json("drill", "list")["instances"]?.array?.first
            #expect(before?["state"]?.string == "never" && before?["dueAt"]?.string != nil)
            let drill = try await fleet.json("drill", "run", "orders")
            #expect(drill["verdict"]?.string == "passed")
            let member = drill["members"]?.array?.first
            #expect(member?["checks"]?.array?.first?["value"]?.string == "7000")
            #expect((member?["relations"]?.integer ?? 0) > 100 && member?["unchecked"]?.array == [])
            #expect(member?["isWithinRTO"]?.bool == true && member?["parts"]?["recover"] != nil)
            #expect(fleet.leftovers() == [])
            #expect(try await fleet.timeline() == 1)
            let drawn = try await fleet.json("drill", "run", "orders", "--target", "random")
            #expect(drawn["verdict"]?.string == "passed")
            let list = try await fleet.json("drill", "list")
            #expect(list["drills"]?.array?.count == 2)
            #expect(list["instances"]?.array?.first?["state"]?.string == "proven")
            #expect(try await fleet.fleet("drill", "list").checked().text.contains("proven"))
        }
    }

    /// What does not pass is said, counts as failing, and leaves nothing behind.
    @Test func aDrillThatDoesNotPassSaysWhy() async throws {
        try await withScratch { (scratch) async throws in
            let wrong = "[{name: rows, sql: select count(*) from rows, atLeast: 8000}]\n    policy: hasty"
            let fleet = try await make(scratch, checks: wrong)
            let failed = try await fleet.fleet("drill", "run", "orders")
            #expect(failed.exitCode == 1 && failed.errors.contains("7000 is less than 8000"), "\(failed.errors)")
            #expect(fleet.leftovers() == [])
            let list = try await fleet.json("drill", "list")
            #expect(list["instances"]?.array?.first?["state"]?.string == "failing")
            #expect(list["drills"]?.array?.first?["verdict"]?.string == "failed")
        }
    }

    @Test func aSlowDrillBreaksTheRTO() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch, checks: "[]\n    policy: hasty")
            let slow = try await fleet.fleet("-o", "json", "drill", "run", "orders")
            #expect(slow.exitCode == 4, "\(slow.errors)")
            let drill = try JSONDecoder().decode(JSONValue.self, from: Data(slow.output))
            #expect(drill["verdict"]?.string == "tooSlow")
        }
    }

    /// An index that lies is found, though every row and check is right.
    @Test func damageThatNoCheckSeesIsFound() async throws {
        try await withScratch { (scratch) async throws in
            let fleet = try await make(scratch)
            // A comparison that has changed under an index, as a collation does with an operating system.
            try await fleet.server().query(
                """
                create function other(int, int) returns int language sql immutable as 'select btint4cmp($1, $2)';
                create operator class odd for type int using btree as
                    operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 other(int, int);
                create index lying on rows (n odd);
                create or replace function other(int, int) returns int language sql immutable as 'select btint4cmp($2, $1)';
                """)
            let result = try await fleet.fleet("drill", "run", "orders")
            #expect(result.exitCode == 1 && result.errors.contains("lying"), "\(result.errors)")
            #expect(fleet.leftovers() == [])
        }
    }
}
