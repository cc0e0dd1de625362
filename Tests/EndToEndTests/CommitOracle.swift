import FleetPluginAPI
import FleetTestSupport
import Foundation

/// Writes rows with psql and keeps its own record of which commits were acknowledged, and when: an oracle that shares
/// no code with what it judges.
final class CommitOracle: Sendable {
    private let server: PostgresServer
    private let log: String
    private let script: String

    struct Commit: Sendable {
        var id: Int
        var sent: Timestamp
        var acknowledged: Timestamp
    }

    init(_ server: PostgresServer, in scratch: ScratchDirectory) async throws {
        self.server = server
        _ = try await server.query(
            "create table oracle (id integer primary key, at timestamptz default clock_timestamp())")
        log = scratch.path("oracle-\(server.port).log")
        script = try scratch.write(
            """
            #!/bin/bash
            # usage: FIRST COUNT: one acknowledged insert a line: id, sent, acknowledged
            coproc SERVER { exec '\(server.installation.program("psql"))' -XqAt -h '\(server.socketDirectory)' -p \(server.port) -U postgres postgres 2>/dev/null; }
            for ((id = $1; id < $1 + $2; id++)); do
                sent=$EPOCHREALTIME
                echo "insert into oracle values ($id) returning id;" >&"${SERVER[1]}" || exit 0
                read -r -t 10 -u "${SERVER[0]}" answer || exit 0
                [[ $answer == "$id" ]] || exit 0
                echo "$id $sent $EPOCHREALTIME" >>'\(log)'
                sleep 0.002
            done

            """, to: "oracle-\(server.port).sh")
    }

    /// Inserts so many rows, one transaction each.
    func write(from first: Int, count: Int) async throws {
        try await runTool(["bash", script, "\(first)", "\(count)"]).checked()
    }

    /// Every acknowledged commit so far.
    func commits() throws -> [Commit] {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count == 3, let id = Int(parts[0]), let sent = Self.time(parts[1]),
                let acked = Self.time(parts[2])
            else { return nil }
            return Commit(id: id, sent: sent, acknowledged: acked)
        }
    }

    /// What is wrong with the restored server: acknowledged commits at or before `target` that are missing, commits
    /// sent after it that are there.
    func violations(at target: Timestamp) async throws -> [String] {
        let present = Set(
            try await server.query("select id from oracle").compactMap { $0.first.flatMap { $0 }.flatMap { Int($0) } })
        return try commits().compactMap { commit in
            if commit.acknowledged <= target, !present.contains(commit.id) { return "lost \(commit)" }
            if commit.sent > target, present.contains(commit.id) { return "not gone: \(commit)" }
            return nil
        }
    }

    private static func time(_ text: Substring) -> Timestamp? {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let seconds = Int64(parts[0]), let micro = Int64(parts[1]) else { return nil }
        return Timestamp(microseconds: seconds * 1_000_000 + micro)
    }
}
