import FleetPluginAPI
import GRDB

extension SQLiteStore {
    public func requestControl(run: String, _ request: ControlRequest, by: String) async throws {
        try await write { [clock] db in
            guard let record = try Self.fetchRun(run, in: db) else {
                throw FleetError(.notFound, "there is no run \(run)")
            }
            guard !record.state.isEnded else {
                throw FleetError(
                    .refused, "run \(run) cannot \(request.rawValue)", cause: "it ended as \(record.state.rawValue)")
            }
            try db.execute(
                sql: """
                    INSERT INTO controls (run, request, requested_by, requested_at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (run) DO UPDATE SET request = excluded.request,
                        requested_by = excluded.requested_by, requested_at = excluded.requested_at
                    WHERE request <> ?
                    """,
                arguments: [
                    run, request.rawValue, by, clock().microseconds, ControlRequest.abort.rawValue,
                ])
        }
    }

    public func pendingControl(run: String) async throws -> PendingControl? {
        try await read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM controls WHERE run = ?", arguments: [run]).map { row in
                PendingControl(
                    request: try row.choice("request"), by: try row.text("requested_by"),
                    at: try row.timestamp("requested_at"))
            }
        }
    }

    public func clearControl(run: String, _ request: ControlRequest) async throws {
        try await write { db in
            try db.execute(
                sql: "DELETE FROM controls WHERE run = ? AND request = ?", arguments: [run, request.rawValue])
        }
    }
}
