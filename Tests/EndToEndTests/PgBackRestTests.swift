import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

/// What is pgBackRest's own: its locks, its faults, and the other engine beside it.
@Suite(.serialized) struct PgBackRestSerial {
    /// One segment cannot be read. pgBackRest says 42, which PostgreSQL would take for the end of the archive: without
    /// the wrapper the server is promoted with commits missing.
    @Test(arguments: ["latest", "time"]) func aSegmentThatCannotBeReadStopsRecoveryAndIsNamed(_ kind: String)
        async throws
    {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: .pgbackrest)
            let server = try fleet.server()
            let stanza = try #require(fleet.stanzas["orders"])
            try await fleet.fleet("backup", "orders").checked()
            try await server.query("create table kept as select generate_series(1, 500) i")
            let lost = try await server.value("select pg_walfile_name(pg_switch_wal())")
            try await server.query("create table later as select generate_series(1, 500) i")
            let now = try await server.value("select to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            try await server.query("insert into later values (0)")
            try await waitUntil("\(lost) is archived") { !stanza.archived(lost + "-").isEmpty }
            let path = "\(stanza.repository)/\(try #require(stanza.archived(lost + "-").first))"
            let signal = "\(server.dataDirectory)/" + (kind == "latest" ? "standby.signal" : "recovery.signal")
            // After the plan has read it, and before recovery does.
            let sound = try Data(contentsOf: URL(fileURLWithPath: path))
            let vandal = Task.detached {
                try await waitUntil("recovery is asked for", deadline: .seconds(60)) {
                    FileManager.default.fileExists(atPath: signal)
                }
                var bytes = sound
                bytes[bytes.count / 2] ^= 0x55
                try bytes.write(to: URL(fileURLWithPath: path))
                chmod(path, 0o644)
            }
            let failed = try await fleet.fleet(
                "restore", "--instance", "orders", "--target", kind == "latest" ? "latest" : now, "--yes",
                "--no-backup", "--way-back", "set-aside")
            try await vandal.value
            #expect(failed.exitCode == 1)
            #expect((failed.errors + failed.text).contains(lost), "\(failed.errors)\(failed.text)")
            #expect(!server.isRunning)
            #expect(FileManager.default.fileExists(atPath: signal), "it was promoted")
            // The copy of the segment was mended: recovery goes on to the same place.
            try sound.write(to: URL(fileURLWithPath: path))
            let resumed = try await fleet.fleet("runs", "resume", try await fleet.lastRun())
            #expect(resumed.exitCode == 0, "\(resumed.errors)")
            #expect(try await server.value("select count(*) from later") == (kind == "latest" ? "501" : "500"))
        }
    }

    /// The same server, backed up by both engines and restored by both to one position.
    @Test func bothEnginesRestoreTheSame() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: .pgbackrest)
            let server = try fleet.server()
            try fleet.addNativeTwin()
            let commands = try await ["orders", "orders-native"].asyncMap { name in
                try await fleet.json("instances", "archiving", name)["archiveCommand"]?.string ?? "false"
            }
            try server.configure(["archive_command": commands.joined(separator: " && ")])
            try await server.restart()
            try await server.query("create table before as select generate_series(1, 1000) i, md5(random()::text) t")
            try await fleet.fleet("backup", "orders", "orders-native").checked()
            try await server.query(
                "create table after as select generate_series(1, 1000) i, md5(random()::text) t; delete from before where i % 3 = 0"
            )
            let target = try await server.value("select pg_current_wal_insert_lsn()")
            try await server.query("drop table before; insert into after values (0, 'too late')")
            let both = try await fleet.json("window", "orders", "orders-native")["instances"]?.array ?? []
            #expect(both.count == 2 && both.allSatisfy { $0["windows"]?.array?.isEmpty == false }, "\(both)")
            var dumps: [String] = []
            for name in ["orders", "orders-native"] {
                let made = try await fleet.json(
                    "restore", "--instance", name, "--target", "lsn:\(target)", "--into", "copy-\(name)", "--yes")
                let endpoint = made["endpoints"]?.array?.first
                let host = try #require(endpoint?["host"]?.string)
                let port = try #require(endpoint?["port"]?.integer)
                let dump = try await server.installation.run(
                    "pg_dumpall", ["-h", host, "-p", "\(port)", "-U", "postgres"]
                ).checked().text
                // A random key guards a dump's \restrict commands.
                dumps.append(
                    dump.split(separator: "\n").filter { !$0.hasPrefix("\\") || $0 == "\\." }.joined(separator: "\n"))
                try await fleet.fleet("runs", "undo", try await fleet.run("restoreInto"), "--yes").checked()
            }
            #expect(dumps[0].contains("CREATE TABLE public.before") && !dumps[0].contains("too late"))
            #expect(dumps[0] == dumps[1])
        }
    }

    @Test func aBackupOfCronsIsNotFought() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: .pgbackrest)
            let stanza = try #require(fleet.stanzas["orders"])
            // It waits for a checkpoint, and holds the lock meanwhile.
            let cron = Task.detached { try await stanza.run("--no-start-fast", "--type=full", "backup") }
            try await waitUntil("the lock is held") {
                try await stanza.run("info", "--output=json").text.contains(#""held":true"#)
            }
            let refused = try await fleet.fleet("backup", "orders")
            #expect(refused.exitCode == 1, "\(refused.errors)")
            #expect(refused.errors.contains("at work"), "\(refused.errors)")
            try await fleet.server().query("checkpoint")
            try await cron.value.checked()
            // What cron made counts.
            try await fleet.fleet("backup", "orders").checked()
            let backups = try await fleet.json("backups", "list", "orders")
            #expect(backups["backups"]?.array?.count == 2, "\(backups)")
        }
    }

    @Test func kindsVerifyAndExpiryGoThroughTheCommand() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(
                in: scratch, engine: .pgbackrest, engineOptions: ", retention: fleet")
            let stanza = try #require(fleet.stanzas["orders"])
            for kind in ["full", "diff", "incr", "full"] {
                try await fleet.server().query("create table \"t\(UInt32.random(in: 0...9_999_999))\" (i int)")
                try await fleet.fleet("backup", "orders", "--type", kind).checked()
            }
            let kinds = try await fleet.json("backups", "list", "orders")["backups"]?.array?.compactMap {
                $0["kind"]?.string
            }
            #expect(kinds?.sorted() == ["diff", "full", "full", "incr"])
            try await fleet.fleet("backups", "verify", "orders").checked()
            let gone = try await fleet.json("backups", "expire", "orders", "--keep-full", "1", "--yes")
            #expect(gone["report"]?["removed"]?.array?.count == 3, "\(gone)")
            try await fleet.fleet("backups", "verify", "orders").checked()
            let file = try #require(
                FileManager.default.enumerator(atPath: "\(stanza.repository)/backup/orders")?
                    .compactMap { $0 as? String }.first { $0.hasSuffix("base/1/1255.gz") })
            try flipBits("\(stanza.repository)/backup/orders/\(file)")
            let damaged = try await fleet.fleet("-o", "json", "backups", "verify", "orders")
            #expect(damaged.exitCode == 1)
            #expect(damaged.text.contains("1255.gz"), "\(damaged.text)")
        }
    }

    @Test func pgBackRestsOwnRetentionIsNotContradicted() async throws {
        try await withScratch { scratch in
            let fleet = try await FleetFixture.make(in: scratch, engine: .pgbackrest)
            try await fleet.fleet("backup", "orders").checked()
            let refused = try await fleet.fleet("backups", "expire", "orders", "--keep-full", "1", "--yes")
            #expect(refused.exitCode == 3)
            #expect(refused.errors.contains("repo1-retention-full"), "\(refused.errors)")
        }
    }
}

extension FleetFixture {
    /// Declares the server of `orders` a second time, backed up by fleet's own engine: as one moves to the other.
    func addNativeTwin() throws {
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        let twin = """
            instances:
              orders-native:
                cluster: prod
                platform: {dataDirectory: \(try server().dataDirectory)}
                engine: {plugin: native}
                repositories: [local]
            """
        try text.replacingOccurrences(of: "instances:", with: twin)
            .write(toFile: configuration, atomically: true, encoding: .utf8)
    }
}

extension Sequence {
    func asyncMap<Value>(_ body: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
