import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresClient
import Testing

/// What a base backup brought; its archives are on disk.
private struct Received {
    var started: LSN?
    var finished: LSN?
    var timeline: TimelineID?
    var tablespaces: [BaseBackupTablespace] = []
    /// Name and tablespace directory, in order.
    var archives: [(name: String, path: String?)] = []
    var hasManifest = false
    var progress: Int64 = 0
    var largest = 0
}

@Suite("Base backups", .serialized)
struct BaseBackupTests {
    private static func receive(
        _ connection: ReplicationConnection, _ options: BaseBackupOptions, into directory: String
    ) async throws -> Received {
        var received = Received()
        var file: OutputFile?
        func open(_ name: String) throws { file = try OutputFile("\(directory)/\(name)") }
        for try await event in try await connection.baseBackup(options) {
            switch event {
            case .started(let lsn, let timeline): (received.started, received.timeline) = (lsn, timeline)
            case .tablespaces(let list): received.tablespaces = list
            case .archive(let name, let path):
                received.archives.append((name, path))
                try open(name)
            case .manifest:
                received.hasManifest = true
                try open("backup_manifest")
            case .data(let bytes):
                received.largest = max(received.largest, bytes.count)
                try file?.write(bytes)
            case .progress(let bytes): received.progress = bytes
            case .finished(let lsn, _): received.finished = lsn
            }
        }
        return received
    }

    @Test("is whole, by pg_verifybackup and by starting it", arguments: PostgresInstallation.testedMajors)
    func whole(major: Int) async throws {
        try await withPostgres(major: major) { server in
            let scratch = server.scratch
            let space = try scratch.directory("space", owner: .current)
            try await server.query("CREATE TABLESPACE elsewhere LOCATION '\(space)'")
            try await server.query("CREATE TABLE there TABLESPACE elsewhere AS SELECT generate_series(1, 1000) AS i")
            try await server.query("CREATE TABLE here AS SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i")

            let connection = try await server.connectReplication()
            let identity = try await connection.identifySystem(deadline: .now + .seconds(20))
            #expect(
                try await server.controlData("Database system identifier") == identity.systemIdentifier.description)
            let parts = try scratch.directory("parts")
            let received = try await Self.receive(
                connection, BaseBackupOptions(label: "it's a \\ label"), into: parts)
            let started = try #require(received.started)
            let finished = try #require(received.finished)
            #expect(started < finished && identity.flushed <= started && received.timeline == 1)
            #expect(received.archives.last?.name == "base.tar" && received.archives.count == 2)
            let oid = try await server.value("SELECT oid FROM pg_tablespace WHERE spcname = 'elsewhere'")
            #expect(received.archives.first?.name == "\(oid).tar" && received.archives.first?.path == space)
            #expect(received.tablespaces.map { $0.oid.map(String.init) } == [oid, nil])
            #expect((received.tablespaces.last?.sizeKiB ?? 0) > 10_000)
            #expect(received.hasManifest && received.largest < 1 << 20)
            if major >= 15 { #expect(received.progress > 10_000_000) }
            // The connection takes commands again.
            #expect(try await connection.show("wal_segment_size", deadline: .now + .seconds(20)) == "16MB")
            await connection.close()

            let copies = try scratch.directory("copies", owner: .current)
            let data = "\(copies)/data"
            try await runTool(["mkdir", "-m", "700", data, "\(data)/pg_tblspc.tmp"]).checked()
            try await runTool(["tar", "-xf", "\(parts)/base.tar", "-C", data]).checked()
            try await runTool(["rmdir", "\(data)/pg_tblspc.tmp"]).checked()
            let label = try String(contentsOfFile: "\(data)/backup_label", encoding: .utf8)
            #expect(label.contains("LABEL: it's a \\ label\n"))
            let newSpace = try scratch.directory("space-of-copy", mode: 0o700, owner: .current)
            try await runTool(["tar", "-xf", "\(parts)/\(oid).tar", "-C", newSpace]).checked()
            try await runTool(["ln", "-s", newSpace, "\(data)/pg_tblspc/\(oid)"]).checked()
            #expect(try String(contentsOfFile: "\(data)/tablespace_map", encoding: .utf8).contains(space))
            try await runTool(["cp", "\(parts)/backup_manifest", data]).checked()
            try FileManager.default.removeItem(atPath: "\(data)/tablespace_map")
            try "\(oid) \(newSpace)\n".write(toFile: "\(data)/tablespace_map", atomically: false, encoding: .utf8)
            if PostgresServer.ownerDiffers { try await runTool(["chown", "-R", "postgres", data, newSpace]).checked() }
            // The pg_verifybackup of the wheel for 18 crashes on every backup.
            if major != 18 || server.installation.binaries.hasPrefix("/usr") {
                try await server.run("pg_verifybackup", ["-n", "-i", "tablespace_map", data]).checked()
            }

            // It starts with the source's WAL, and has everything.
            try await server.query("SELECT pg_switch_wal()")
            let wal = "\(server.dataDirectory)/pg_wal"
            try "".write(toFile: "\(data)/recovery.signal", atomically: false, encoding: .utf8)
            let copy = try await PostgresServer.adopt(
                dataDirectory: data, in: scratch, settings: ["restore_command": "cp \(wal)/%f %p"],
                installation: server.installation)
            try await copy.start()
            try await waitUntil("it is promoted") { try await copy.value("SELECT pg_is_in_recovery()") == "f" }
            #expect(try await copy.value("SELECT count(*) FROM here") == "20000")
            #expect(try await copy.value("SELECT sum(i) FROM there") == "500500")
            try await copy.run("pg_amcheck", ["--all", "--install-missing"], connects: true)
        }
    }

    @Test("options reach the server: no manifest, no map, a checksum algorithm, spread checkpoint, a rate")
    func options() async throws {
        for major in PostgresInstallation.availableMajors where [14, 15].contains(major) {
            try await withPostgres(major: major) { server in
                let parts = try server.scratch.directory("parts")
                let connection = try await server.connectReplication()
                let without = try await Self.receive(
                    connection,
                    BaseBackupOptions(
                        label: "a", estimatesSizes: false, maxRateKiB: 1_048_576, manifestChecksums: nil,
                        tablespaceMap: false, verifyChecksums: false), into: parts)
                #expect(without.finished != nil && !without.hasManifest)
                #expect(without.tablespaces.map(\.sizeKiB) == [nil])
                let with = try await Self.receive(
                    connection, BaseBackupOptions(label: "b", manifestChecksums: .sha512), into: parts)
                #expect(with.finished != nil && with.hasManifest)
                let manifest = try String(contentsOfFile: "\(parts)/backup_manifest", encoding: .utf8)
                #expect(manifest.contains("\"SHA512\"") && manifest.contains("\"Manifest-Checksum\""))
            }
        }
    }

    @Test(
        "a page with a wrong checksum fails the backup after its end", arguments: PostgresInstallation.testedMajors)
    func corruptPage(major: Int) async throws {
        try await withPostgres(major: major) { server in
            try await server.query("CREATE TABLE t AS SELECT generate_series(1, 5000) AS i; CHECKPOINT")
            let path = try await server.value("SELECT pg_relation_filepath('t')")
            try await server.stop()
            try overwrite("\(server.dataDirectory)/\(path)", at: 8192 + 5000, with: [0xde, 0xad])
            try await server.start()
            let connection = try await server.connectReplication()
            let parts = try server.scratch.directory("parts")
            var finished = false
            let error = await fleetError {
                for try await event in try await connection.baseBackup(BaseBackupOptions(label: "x")) {
                    if case .finished = event { finished = true }
                }
            }
            #expect(error?.code == .corrupted && !finished)
            #expect(await connection.takeNotices().contains { $0.message.contains("checksum verification failed") })
            let unchecked = try await Self.receive(
                connection, BaseBackupOptions(label: "y", verifyChecksums: false), into: parts)
            #expect(unchecked.finished != nil)
        }
    }

    @Test("nothing is fetched that nobody asks for; leaving early ends it on the server")
    func backpressure() async throws {
        try await withPostgres { server in
            try await server.query("CREATE TABLE t AS SELECT i, repeat('x', 900) FROM generate_series(1, 60000) i")
            let connection = try await server.connectReplication()
            var bytes = 0
            for try await event in try await connection.baseBackup(BaseBackupOptions(label: "x")) {
                if case .data(let data) = event { bytes += data.count }
                if bytes > 1 << 20 { break }
            }
            let sent = "SELECT coalesce(max(backup_streamed), 0) FROM pg_stat_progress_basebackup"
            try await Task.sleep(for: .milliseconds(300))
            let first = try await server.value(sent)
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await server.value(sent) == first)
            #expect((Int(first) ?? 0) < 30 << 20)
            let busy = await fleetError { _ = try await connection.identifySystem(deadline: .now + .seconds(5)) }
            #expect(busy != nil)
            await connection.close()
            try await waitUntil("the server has ended it") {
                try await server.value("SELECT count(*) FROM pg_stat_replication") == "0"
            }
        }
    }

    @Test("a server that dies or hangs in the middle is an error in bounded time")
    func interrupted() async throws {
        try await withPostgres { server in
            try await server.query("CREATE TABLE t AS SELECT i, repeat('x', 900) FROM generate_series(1, 60000) i")
            for hangs in [false, true] {
                let connection = try await server.connectReplication()
                var options = BaseBackupOptions(label: "x")
                options.stallLimit = .milliseconds(hangs ? 400 : 60_000)
                var count = 0
                let error = await fleetError {
                    for try await event in try await connection.baseBackup(options) {
                        guard case .data = event else { continue }
                        count += 1
                        if count == 3 {
                            if hangs { server.freeze(true) } else { try await server.crash() }
                        }
                    }
                }
                #expect(error?.code == (hangs ? .timedOut : .unavailable))
                #expect(await connection.isOpen == false)
                if hangs { server.freeze(false) } else { try await server.start() }
            }
        }
    }

    @Test("a user without REPLICATION is denied")
    func denied() async throws {
        try await withPostgres { server in
            try await server.query("CREATE ROLE plain LOGIN")
            var parameters = server.parameters()
            parameters.user = "plain"
            let error = await fleetError {
                _ = try await ReplicationConnection.connect(parameters, deadline: .now + .seconds(20))
            }
            #expect(error?.code == .denied)
        }
    }
}

extension PostgresServer {
    static var ownerDiffers: Bool { ServerOwner.current.isOther }
}
