import FleetPluginAPI
import PostgresClient

/// The SQL side of a receiver: its slot, whether the server is a primary, and ending segments.
struct SlotControl: Sendable {
    private let connection: PostgresConnection
    private let slot: String

    static func connect(
        _ parameters: ConnectionParameters, slot: String, deadline: ContinuousClock.Instant
    ) async throws -> SlotControl {
        SlotControl(connection: try await PostgresConnection.connect(parameters, deadline: deadline), slot: slot)
    }

    func close() async { await connection.close() }

    private func value(_ sql: String, _ parameters: [String?] = []) async throws -> String? {
        try await connection.query(sql, parameters, deadline: .now + .seconds(30)).value
    }

    /// Returns the bytes of a segment.
    ///
    /// - Throws: `unavailable` while the server is in recovery.
    func requirePrimary() async throws -> UInt64 {
        guard try await value("select pg_is_in_recovery()") == "f" else {
            throw FleetError(
                .unavailable, "the server is in recovery", hint: "its WAL is received once it is a primary")
        }
        guard let size = try await value("select bytes_per_wal_segment from pg_control_init()").flatMap({ UInt64($0) })
        else { throw FleetError(.protocolViolation, "the server does not tell how large its WAL segments are") }
        return size
    }

    /// Sees that the slot is there and keeps WAL. Returns the position from which on it does.
    func reserve(_ log: (String) -> Void) async throws -> LSN {
        if try await value("select setting from pg_settings where name = 'max_slot_wal_keep_size'") == "-1" {
            log(
                "nothing bounds what the server keeps for the slot \(slot) while nobody receives it: set "
                    + "max_slot_wal_keep_size to less than its disk has room for")
        }
        let query = """
            select restart_lsn, slot_type, wal_status from pg_replication_slots where slot_name = $1
            """
        let rows = try await connection.query(query, [slot], deadline: .now + .seconds(30)).rows
        if let row = rows.first {
            guard row["slot_type"] == "physical" else {
                throw FleetError(
                    .refused, "the replication slot \(slot) is a logical one", hint: "give the engine another slot:")
            }
            if row["wal_status"] != "lost", let restart = row["restart_lsn"].flatMap({ LSN($0) }) { return restart }
            log("the slot \(slot) has lost its WAL and is made anew: see max_slot_wal_keep_size")
            _ = try await value("select pg_drop_replication_slot($1)", [slot])
        }
        _ = try await value("select pg_create_physical_replication_slot($1, true)", [slot])
        log("made the replication slot \(slot)")
        let made = try await connection.query(query, [slot], deadline: .now + .seconds(30)).rows.first
        guard let restart = made?["restart_lsn"].flatMap({ LSN($0) }) else {
            throw FleetError(.protocolViolation, "the server does not tell what the slot \(slot) keeps")
        }
        return restart
    }

    /// Ends the present segment if anything was written to it. Returns false where the role may not.
    func switchSegment() async throws -> Bool {
        do {
            _ = try await value("select pg_switch_wal()")
            return true
        } catch let error as FleetError where error.code == .denied {
            return false
        }
    }
}
