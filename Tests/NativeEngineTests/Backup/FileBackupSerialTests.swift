import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import Testing

@testable import NativeEngine

/// Backups of a real server that read its files.
@Suite(.serialized) struct FileBackupSerialTests {
    static let reading = PluginOptions(["read": "files"])

    private func instance(_ archived: ArchivedServer) async throws -> InstanceRepository {
        let repository = try #require(archived.agent.repositories.first)
        return try await Repository.open(repository, TestPassphrase.resolve).instance("orders")
    }

    /// What the server itself sends is the measure.
    @Test(arguments: PostgresInstallation.testedMajors)
    func itHasWhatTheServerWouldSend(_ major: Int) async throws {
        try await ArchivedServer.with(MemoryStorage(), major: major, engine: Self.reading) { (archived) async throws in
            let server = archived.server
            let fast = try archived.scratch.directory("fast", owner: server.installation.owner)
            try await server.query("create tablespace fast location '\(fast)'")
            try await server.query(
                """
                create table t as select g, repeat('x', g % 300) from generate_series(1, 20000) g;
                create table moved tablespace fast as select generate_series(1, 3000) i;
                create unlogged table scratchpad as select generate_series(1, 1000) i;
                create index on scratchpad (i);
                create table empty ();
                """)
            try await server.query("vacuum")
            // What sessions and crashes leave, and what does not belong to the server.
            let database = try await server.value("select oid from pg_database where datname = current_database()")
            for path in [
                "base/\(database)/t7_4242", "base/\(database)/pgsql_tmp12.3", "pg_stat_tmp/x", "postmaster.opts",
                "pg_replslot/x", "pg_wal/leftover", "backup_manifest",
            ] {
                try server.installation.owner.own(write("gone", server, path))
            }
            let streaming = try NativeEngine(resolve: TestPassphrase.resolve)
            let streamed = try await archived.backup("sent", by: streaming)
            let backup = try await archived.backup("read")
            let instance = try await instance(archived)
            let sent = try #require(try await instance.backup(streamed.label)).manifest
            let read = try #require(try await instance.backup(backup.label)).manifest
            #expect(read.files.map(\.path).sorted() == sent.files.map(\.path).sorted())
            #expect(read.directories.map(\.path).sorted() == sent.directories.map(\.path).sorted())
            #expect(read.links.map(\.path) == sent.links.map(\.path) && read.links.map(\.target) == [fast])
            #expect(read.header.tablespaces == sent.header.tablespaces && read.header.tablespaces.count == 1)
            let sizes = Dictionary(uniqueKeysWithValues: sent.files.map { ($0.path, $0.size) })
            #expect(read.files.allSatisfy { !$0.path.hasPrefix("base/") || sizes[$0.path] == $0.size })
            #expect(try await archived.verify().findings.isEmpty)

            let directory = try archived.place("restored")
            try await archived.restore(
                backup, to: directory, tablespaces: [fast: archived.scratch.path("elsewhere")])
            if try await server.installation.run("pg_verifybackup", ["--version"]).exitCode == 0 {
                try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
            }
            try await archived.boot(directory) { (restored) async throws in
                let counts = "select (select count(*) from t) || ' ' || (select count(*) from moved)"
                #expect(try await restored.value(counts) == "20000 3000")
            }
        }
    }

    @discardableResult
    private func write(_ text: String, _ server: PostgresServer, _ path: String) throws -> String {
        let path = "\(server.dataDirectory)/\(path)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    /// An incremental one takes over unseen what has not changed, and a full one looks at everything.
    @Test func unchangedPagesAreTakenOverAndAFullLooksAtAll() async throws {
        try await ArchivedServer.with(MemoryStorage(), engine: Self.reading) { (archived) async throws in
            let server = archived.server
            try await server.query(
                """
                create table big as select g id, md5(g::text) note from generate_series(1, 100000) g;
                create sequence numbers;
                select nextval('numbers') from generate_series(1, 5);
                """)
            try await server.query("vacuum (freeze, analyze)")
            let full = try await archived.backup("full")
            try await server.query("update big set note = 'first' where id = 5; select nextval('numbers')")
            try await server.query("checkpoint")
            let path = try await server.value("select pg_relation_filepath('big')")
            let file = try FileHandleForDamage("\(server.dataDirectory)/\(path)")
            file.flip(at: 60 * 8192 + 5000)
            let incremental = try await archived.backup("incremental", .incr)
            #expect(incremental.references == [full.label] && incremental.storedSize < full.storedSize / 4)
            let error = await #expect(throws: FleetError.self) { try await archived.backup("damaged") }
            #expect(error?.code == .corrupted && error?.message.contains("page 60 of \(path)") == true)
            file.flip(at: 60 * 8192 + 5000)
            try await archived.backup("whole")
            let directory = try archived.place("restored")
            try await archived.restore(incremental, to: directory)
            try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
            try await archived.boot(directory) { (restored) async throws in
                #expect(
                    try await restored.value("select count(*) || min(note) filter (where id = 5) from big where id < 6")
                        == "5first")
                try await restored.query("select pg_wal_replay_resume()")
                try await waitUntil("it is promoted") { try await restored.value("select pg_is_in_recovery()") == "f" }
                let next = try await restored.value("select nextval('numbers')")
                #expect(Int(next).map { $0 > 6 } == true, "\(next)")
            }
        }
    }

    @Test func filesThatNobodyHasTouchedAreNotRead() async throws {
        try await ArchivedServer.with(MemoryStorage(), engine: Self.reading) { (archived) async throws in
            let server = archived.server
            try await server.query(
                "create table old as select md5(g::text) from generate_series(1, 10000) g; checkpoint")
            let path = "\(server.dataDirectory)/\(try await server.value("select pg_relation_filepath('old')"))"
            let hourAgo = time(nil) - 3600
            var times = [timespec(tv_sec: hourAgo, tv_nsec: 0), timespec(tv_sec: hourAgo, tv_nsec: 0)]
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
            try await archived.backup("full")
            // Neither the path nor the time tells of it: only a look would.
            let content = try #require(FileManager.default.contents(atPath: path))
            let handle = open(path, O_WRONLY)
            let blank = [UInt8](repeating: 0xAB, count: content.count)
            #expect(pwrite(handle, blank, blank.count, 0) == blank.count)
            close(handle)
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
            let incremental = try await archived.backup("incremental", .incr)
            let directory = try archived.place("restored")
            try await archived.restore(incremental, to: directory)
            let restored = "\(directory)/\(path.dropFirst(server.dataDirectory.count + 1))"
            #expect(FileManager.default.contents(atPath: restored) == content)
            // With another time it is looked at, and its damage found.
            times[1].tv_sec += 60
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
            let error = await #expect(throws: FleetError.self) { try await archived.backup("looked at", .incr) }
            #expect(error?.code == .corrupted)
        }
    }

    /// Positions say nothing about pages of another history, and nothing about pages that a tool rewrote.
    @Test func afterATurnEverythingIsCompared() async throws {
        try await ArchivedServer.with(MemoryStorage(), engine: Self.reading) { (archived) async throws in
            let server = archived.server
            try await server.query("create table t as select generate_series(1, 10000) i")
            try await archived.backup("full")
            try await server.stop()
            try await server.installation.run("pg_checksums", ["--disable", server.dataDirectory]).checked()
            try await server.installation.run("pg_checksums", ["--enable", server.dataDirectory]).checked()
            try await server.start()
            try await archived.backup("same", .incr)
            #expect(!archived.agent.log.contains("are compared"))
            try await server.stop()
            try await server.installation.run("pg_checksums", ["--disable", server.dataDirectory]).checked()
            try await server.start()
            try await archived.backup("without", .incr)
            #expect(archived.agent.log.contains("all files are compared"), "\(archived.agent.log)")
            try await server.query("alter system set restore_command = 'false'")
            try await server.stop()
            try server.installation.owner.own(write("", server, "recovery.signal"))
            try await server.start()
            try await waitUntil("it is promoted") { try await server.value("select pg_is_in_recovery()") == "f" }
            let turned = try await archived.backup("turned", .incr)
            #expect(turned.timeline == 2 && archived.agent.log.contains("all files are compared"))
            let directory = try archived.place("restored")
            try await archived.restore(turned, to: directory, timeline: 2)
            try await archived.boot(directory) { (restored) async throws in
                #expect(try await restored.value("select count(*) from t") == "10000")
            }
        }
    }

    /// Pages are torn and files grow, shrink and vanish while they are read: WAL makes it whole.
    @Test func underLoadItIsWholeAndConsistent() async throws {
        try await ArchivedServer.with(
            MemoryStorage(), settings: ["checkpoint_timeout": "30s", "shared_buffers": "1MB", "max_wal_size": "64MB"],
            engine: Self.reading
        ) { (archived) async throws in
            let server = archived.server
            try await server.query(
                "create table accounts as select g id, 100 balance, repeat('x', 100) filler "
                    + "from generate_series(1, 50000) g; alter table accounts add primary key (id)")
            try await archived.backup("full")
            let load = Task {
                var round = 0
                while !Task.isCancelled {
                    round += 1
                    try await server.query(
                        """
                        begin;
                        update accounts set balance = balance - 1 where id % 97 = \(round % 97);
                        update accounts set balance = balance + 1 where id % 97 = \(round % 97);
                        commit;
                        create table passing_\(round) as select * from accounts limit 3000;
                        truncate passing_\(round);
                        drop table passing_\(round);
                        """)
                    if round % 5 == 0 { try await server.query("vacuum accounts") }
                }
            }
            var last: BackupRecord?
            for round in 1...4 { last = try await archived.backup("under load \(round)", round == 2 ? .full : .incr) }
            load.cancel()
            _ = await load.result
            try await archived.archiveAll()
            let backup = try #require(last)
            let directory = try archived.place("restored")
            try await archived.restore(backup, to: directory)
            try await server.installation.run("pg_verifybackup", ["-n", directory]).checked()
            try await archived.boot(directory) { (restored) async throws in
                #expect(
                    try await restored.value("select sum(balance) || ' ' || count(*) from accounts")
                        == "5000000 50000")
                try await restored.query("select pg_wal_replay_resume()")
                try await waitUntil("it is promoted") { try await restored.value("select pg_is_in_recovery()") == "f" }
                try await restored.query("create extension amcheck")
                try await restored.query("select bt_index_check('accounts_pkey', true)")
                #expect(try await restored.value("select count(*) from verify_heapam('accounts')") == "0")
            }
        }
    }

    @Test func anotherDirectoryAndARoleWithoutTheRightAreRefused() async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage, engine: Self.reading) { (archived) async throws in
            let server = archived.server
            let other = try await PostgresServer.create(in: archived.scratch, name: "other")
            var context = archived.context
            context.location?.dataDirectory = other.dataDirectory
            let request = BackupRequest(key: "b", kind: .full, repository: "local")
            var task = try await archived.engine.backup(request, context)
            #expect(task.volume == .besideRunningServer)
            var error = await #expect(throws: FleetError.self) { try await archived.agent.carryOut(task) }
            #expect(error?.code == .refused && error?.message.contains(other.dataDirectory) == true)
            #expect(try await server.value("select count(*) from pg_stat_activity where query ~ 'backup_start'") == "1")

            try await server.query("create role helper login replication")
            context = archived.context
            context.endpoint?.user = "helper"
            task = try await archived.engine.backup(request, context)
            error = await #expect(throws: FleetError.self) { try await archived.agent.carryOut(task) }
            #expect(error?.code == .denied && error?.hint?.contains("pg_backup_start, pg_backup_stop") == true)
            context.location = nil
            error = await #expect(throws: FleetError.self) { _ = try await archived.engine.backup(request, context) }
            #expect(error?.code == .configuration)
            #expect(try await archived.catalog().backups.isEmpty)
        }
    }

    /// As in a pod that mounts the data and not what its tablespaces link to.
    @Test func aTablespaceThatCannotBeSeenIsNotLeftOut() async throws {
        try await ArchivedServer.with(MemoryStorage(), engine: Self.reading) { (archived) async throws in
            let server = archived.server
            let fast = try archived.scratch.directory("fast", owner: server.installation.owner)
            try await server.query("create tablespace fast location '\(fast)'")
            try await server.query("create table t tablespace fast as select 1 as i; checkpoint")
            #expect(rename(fast, fast + ".away") == 0)
            let error = await #expect(throws: FleetError.self) { try await archived.backup("without") }
            #expect(error?.code == .refused && error?.message.contains(fast) == true)
            #expect(rename(fast + ".away", fast) == 0)
            let backup = try await archived.backup("with")
            #expect(backup.tablespaces.map(\.path) == [fast])
        }
    }

    @Test func aServerThatCrashesMeanwhileLeavesNothingListed() async throws {
        try await ArchivedServer.with(MemoryStorage(), engine: Self.reading) { (archived) async throws in
            let server = archived.server
            let slow = try NativeEngine(
                PluginOptions(["read": "files", "backupRate": "8MiB"]), resolve: TestPassphrase.resolve)
            let backup = Task { try await archived.backup("slow", by: slow) }
            try await waitUntil("files are read") {
                archived.agent.events.contains {
                    if case .progress(let progress) = $0 { progress.bytesDone > 4 << 20 } else { false }
                }
            }
            try await server.crash()
            let result = await backup.result
            #expect(throws: FleetError.self) { try result.get() }
            #expect((archived.agent.failure?.code) == .unavailable)
            #expect(try await archived.catalog().backups.isEmpty)
            try await server.start()
            try await archived.backup("after")
            #expect(try await archived.verify().findings.isEmpty)
        }
    }
}
