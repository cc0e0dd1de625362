import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresFormats
import Testing

/// Real WAL, judged by pg_waldump.
@Suite("WAL of a real server")
struct WALServerTests {
    /// One transaction record, as pg_waldump and fleet both see it.
    private struct End: Hashable {
        var start: LSN
        var xid: UInt32
        var time: String
        var isCommit: Bool
    }

    private func options() -> PostgresServer.Options {
        PostgresServer.Options(settings: ["wal_keep_size": "1GB"], segmentMegabytes: 1)
    }

    /// The server's segments from `first` on, in order; those that were never written to left out.
    private func segments(of server: PostgresServer, upTo end: LSN, timeline: TimelineID = 1) throws -> [WALSegmentFile]
    {
        let directory = "\(server.dataDirectory)/pg_wal"
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            .compactMap { WALSegmentName($0, segmentSize: 1 << 20) }
            .filter { $0.timeline == timeline && $0.start < end }
            .map { name in
                WALSegmentFile(name: name, bytes: try fileBytes("\(directory)/\(name)"))
            }
    }

    private func dump(_ server: PostgresServer, _ arguments: [String], from first: WALSegmentName) async throws
        -> [String]
    {
        let result = try await server.run(
            "pg_waldump",
            ["-p", "\(server.dataDirectory)/pg_wal", "-t", "\(first.timeline)", "-s", "\(first.start)"]
                + arguments)
        // It ends with an error where WAL does.
        return result.text.split(separator: "\n").map(String.init)
    }

    private func ends(dumped lines: [String]) throws -> [End] {
        try lines.compactMap { line -> End? in
            let parts = line.split(separator: "desc: ", maxSplits: 1)
            guard parts.count == 2, parts[1].hasPrefix("COMMIT") || parts[1].hasPrefix("ABORT") else { return nil }
            let words = parts[1].split(separator: " ")
            let isPrepared = words[0].hasSuffix("_PREPARED")
            let number = isPrepared ? words[1].dropLast() : field("tx", of: parts[0])
            let start = try #require(LSN(field("lsn", of: parts[0])))
            let day = words[isPrepared ? 2 : 1]
            let time = "\(day)T\(words[isPrepared ? 3 : 2])Z"
            return End(
                start: start, xid: try #require(UInt32(number)), time: time, isCommit: words[0].hasPrefix("COMMIT"))
        }
    }

    private func field(_ name: String, of text: Substring) -> Substring {
        let words = text.split(separator: " ")
        guard let index = words.firstIndex(where: { $0 == "\(name):" }), index + 1 < words.count else { return "" }
        return words[index + 1].prefix { $0 != "," }
    }

    private func scan(_ files: [WALSegmentFile]) throws -> [WALEvent] {
        var scanner = WALScanner()
        var events: [WALEvent] = []
        for file in files {
            try scanner.scan(file.bytes, name: file.name) { event in
                events.append(event)
                return .proceed
            }
        }
        return events
    }

    private func ends(_ events: [WALEvent]) -> [End] {
        events.compactMap(\.transactionEnd).map {
            let text = $0.time.description
            // pg_waldump writes six digits always.
            let time = text.contains(".") ? text : "\(text.dropLast()).000000Z"
            return End(start: $0.start, xid: $0.xid, time: time, isCommit: $0.isCommit)
        }
    }

    private func traffic(_ server: PostgresServer) async throws {
        try await server.run("pgbench", ["-i", "-q", "-s", "1"], connects: true).checked()
        try await server.run("pgbench", ["-n", "-c", "4", "-t", "250"], connects: true).checked()
        try await server.query("create table t (i int)")
        for sql in ["commit prepared 'one'", "rollback prepared 'one'"] {
            try await server.query(
                "begin; drop table if exists gone; insert into t values (1); prepare transaction 'one'")
            try await server.query(sql)
        }
        try await server.query("begin; insert into t values (2); rollback")
        try await server.query(
            """
            do $$ begin for k in 1..3000 loop
              begin insert into t values (k); if k % 1000 = 0 then raise 'no'; end if; exception when others then end;
            end loop; end $$
            """)
        // Longer than three segments.
        try await server.query("select pg_logical_emit_message(true, 'x', repeat('z', 3500000))")
        try await server.run("pgbench", ["-n", "-c", "4", "-t", "100"], connects: true).checked()
    }

    @Test("every transaction end is found where pg_waldump finds it, also across crashes, messages and switches")
    func transactions() async throws {
        try await withPostgres(options()) { server in
            let point = try await server.value("select pg_create_restore_point('at the start')")
            try await traffic(server)
            try await server.query("select pg_switch_wal()")
            try await server.query("insert into t values (3)")
            try await server.crash()
            try await server.start()
            try await server.query("insert into t values (4)")
            let late = try await server.value("select pg_create_restore_point('at the end')")
            try await server.query("insert into t values (5)")
            let end = try #require(LSN(try await server.value("select pg_current_wal_flush_lsn()")))
            let files = try segments(of: server, upTo: end)
            let events = try scan(files)
            let expected = try ends(dumped: try await dump(server, ["-r", "Transaction"], from: files[0].name))
            #expect(expected.count > 1400)
            #expect(ends(events) == expected)
            let points = events.compactMap(\.restorePoint)
            #expect(points.map(\.name) == ["at the start", "at the end"])
            #expect(points.map(\.end.description) == [point, late])
            #expect(
                events.filter { if case .prepared(_, "one", _) = $0.kind { true } else { false } }.count == 2)
            #expect(events.contains { if case .parameters(let p) = $0.kind { p.maxConnections == 40 } else { false } })
            try summaries(files, agreeWith: expected)
        }
    }

    /// Summaries of single segments, joined, say together what the whole says.
    private func summaries(_ files: [WALSegmentFile], agreeWith expected: [End]) throws {
        var summaries = try files.map { try WALSegment($0.bytes, name: $0.name).summary }
        var joints: Set<WALSegmentSummary.Joint> = []
        for index in summaries.indices.dropLast() {
            var next = summaries[index + 1]
            joints.insert(WALSegmentSummary.join(previous: &summaries[index], next: &next))
            summaries[index + 1] = next
        }
        #expect(!joints.contains(.mismatched) && !joints.contains(.abandoned) && joints.contains(.joined))
        #expect(summaries.reduce(0) { $0 + $1.commits } == expected.filter(\.isCommit).count)
        #expect(summaries.reduce(0) { $0 + $1.aborts } == expected.filter { !$0.isCommit }.count)
        #expect(summaries.dropLast().allSatisfy { $0.ending != .stopped })
        for (file, summary) in zip(files, summaries) {
            let inside = expected.filter { file.name.start <= $0.start && $0.start < file.name.end }
            #expect(summary.first?.start == inside.first?.start && summary.last?.start == inside.last?.start)
            #expect(
                summary.latestTime?.description == inside.map(\.time).max().map { $0.replacing(".000000Z", with: "Z") })
        }
    }

    @Test("targets are found as recovery would find them")
    func targets() async throws {
        try await withPostgres(options()) { server in
            try await server.query("create table t (i int)")
            let start = try #require(LSN(try await server.value("select pg_current_wal_lsn()")))
            let xid = try #require(UInt32(try await server.value("insert into t values (1) returning txid_current()")))
            try await server.query("select pg_create_restore_point('here')")
            let time = try #require(Timestamp(rfc3339: try await server.value("select now()")))
            try await server.query("insert into t values (2)")
            let next = try #require(UInt32(try await server.value("insert into t values (3) returning txid_current()")))
            let end = try #require(LSN(try await server.value("select pg_current_wal_flush_lsn()")))
            let files = try segments(of: server, upTo: end)
            func first(_ predicate: (WALEvent) -> Bool) async throws -> WALEvent? {
                var rest = files[...]
                var scanner = WALScanner()
                return try await scanner.first(in: { rest.popFirst() }, from: start, where: predicate)
            }
            let commit = try #require(try await first { $0.endsRecovery(toXID: xid) })
            let point = try #require(try await first { $0.endsRecovery(toName: "here") })
            let after = try #require(try await first { $0.endsRecovery(toTime: time) })
            #expect(commit.end <= point.start && point.end <= after.start)
            #expect(after.transactionEnd?.xid == next - 1)
            #expect(try await first { $0.isCommit } == commit)
            #expect(try await first { $0.endsRecovery(toTime: time + .seconds(3600)) } == nil)
            #expect(try await first { $0.endsRecovery(toXID: next + 9) } == nil)
        }
    }

    /// Recovery that ran out of WAL writes a checkpoint, one that was told to promote a record of its own.
    private func beginsTimeline(_ event: WALEvent) -> Bool {
        switch event.kind {
        case .endOfRecovery(2, 1, _), .checkpoint(_, 2, 1, true): true
        default: false
        }
    }

    @Test("the path over a promotion is read through")
    func promotion() async throws {
        try await withPostgres(options()) { server in
            try await server.query("create table t (i int)")
            try await server.query("insert into t select generate_series(1, 30000)")
            try await server.stop()
            try server.configure(["restore_command": "false"])
            let signal = "\(server.dataDirectory)/recovery.signal"
            try #require(FileManager.default.createFile(atPath: signal, contents: nil))
            try server.installation.owner.own(signal)
            try await server.start()
            try await waitUntil("the server is promoted") {
                try await server.value("select pg_is_in_recovery()") == "f"
            }
            try await server.query("insert into t select generate_series(1, 30000)")
            let end = try #require(LSN(try await server.value("select pg_current_wal_flush_lsn()")))
            let new = try segments(of: server, upTo: end, timeline: 2)
            let old = try segments(of: server, upTo: new[0].name.start)
            #expect(!old.isEmpty)
            let events = try scan(old + new)
            let start = try #require(events.first(where: beginsTimeline)?.start)
            #expect(start >= new[0].name.start)
            let file = try fileBytes("\(server.dataDirectory)/pg_wal/\(TimelineHistory.fileName(of: 2))")
            let history = try TimelineHistory(file: file, timeline: 2)
            #expect(history.ancestors.map(\.timeline) == [1] && history.ancestors[0].switchLSN <= start)
            #expect(history.fileBytes == file)
            let ended = ends(events)
            // pg_waldump follows one timeline only.
            let before = try ends(dumped: try await dump(server, ["-r", "Transaction"], from: old[0].name))
            let after = try ends(dumped: try await dump(server, ["-r", "Transaction"], from: new[0].name))
            #expect(ended.filter { $0.start >= new[0].name.start } == after)
            #expect(ended.filter { $0.start < start } == before)
            #expect(after.count > before.filter { $0.start >= new[0].name.start }.count)
        }
    }
}
