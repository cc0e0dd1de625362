import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc

@testable import NativeEngine

/// A real server whose WAL goes through `wal-push`: its archive_command hands each file to this process.
struct ArchivedServer: Sendable {
    let server: PostgresServer
    let scratch: ScratchDirectory
    let agent: Agent
    let engine: NativeEngine
    private let spool: String

    static func with(
        _ storage: any Storage, settings: [String: String] = [:], major: Int? = nil, encrypted: Bool = false,
        engine: PluginOptions = PluginOptions(), _ body: (ArchivedServer) async throws -> Void
    ) async throws {
        try await withScratch { (scratch) async throws in
            let spool = try scratch.directory("spool", mode: 0o777)
            let archiving = [
                "archive_mode": "on", "archive_command": "cp %p \(spool)/.%f && mv \(spool)/.%f \(spool)/%f",
            ]
            var options = PostgresServer.Options(
                settings: archiving.merging(settings) { $1 }, segmentMegabytes: 1)
            if let major { options.installation = try await .major(major) }
            let server = try await PostgresServer.create(in: scratch, options)
            try await server.start()
            let archived = ArchivedServer(
                server: server, scratch: scratch, agent: Agent(storage, encrypted: encrypted),
                engine: try NativeEngine(engine, resolve: TestPassphrase.resolve), spool: spool)
            let pusher = Task { await archived.pushForever() }
            do {
                try await body(archived)
                pusher.cancel()
                await pusher.value
            } catch {
                pusher.cancel()
                await pusher.value
                throw error
            }
        }
    }

    /// With an agent of its own: the log of the test's stays readable.
    private func pushForever() async {
        let agent = Agent(
            agent.repositories.map { ($0.name, $0.storage) },
            encrypted: agent.repositories.contains { $0.secret != nil })
        while !Task.isCancelled {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: spool)) ?? []
            for name in names.sorted() where !name.hasPrefix(".") {
                if await agent.run("wal-push", "\(spool)/\(name)") == 0 { unlink("\(spool)/\(name)") }
            }
            try? await Task.sleep(for: .milliseconds(30))
        }
    }

    var context: EngineContext {
        var context = agent.context
        context.endpoint = Endpoint(host: server.socketDirectory, port: server.port, user: server.user)
        context.location = InstanceLocation(dataDirectory: server.dataDirectory, owner: "postgres", binDirectory: nil)
        return context
    }

    @discardableResult
    func backup(
        _ key: String = "b", _ kind: BackupRecord.Kind = .full, by engine: NativeEngine? = nil
    ) async throws -> BackupRecord {
        let task = try await (engine ?? self.engine).backup(
            BackupRequest(key: key, kind: kind, repository: "local"), context)
        return try await agent.carryOut(task).decoded(as: BackupRecord.self)
    }

    func catalog() async throws -> Catalog {
        try await engine.catalog(context)
    }

    @discardableResult
    func verify(_ labels: [String] = [], share: Int? = nil) async throws -> VerifyReport {
        let task = try await engine.verify(
            VerifyRequest(key: "v", backups: labels, repository: "local", share: share), context)
        return try await agent.carryOut(task).decoded(as: VerifyReport.self)
    }

    @discardableResult
    func expire(keep: Int, keepDiff: Int? = nil, dryRun: Bool = false) async throws -> ExpireReport {
        let request = ExpireRequest(
            key: "e", repository: "local", retention: Retention(full: keep, diff: keepDiff), isDryRun: dryRun)
        return try await agent.carryOut(engine.expire(request, context)).decoded(as: ExpireReport.self)
    }

    /// Switches WAL and waits until all of it is in the repository.
    func archiveAll() async throws {
        let name = try await server.value("select pg_walfile_name(pg_switch_wal())")
        try await waitUntil("\(name) is archived") {
            try await catalog().segments.contains { $0.name.description == name }
        }
    }

    @discardableResult
    func restore(
        _ backup: BackupRecord, to directory: String, mode: RestoreRequest.Mode = .empty,
        stop: RecoverySettings.Stop = .immediate, timeline: TimelineID = 1, tablespaces: [String: String] = [:],
        settings: [String: String] = [:], _ before: () -> Void = {}
    ) async throws -> RestoreReport {
        let request = RestoreRequest(
            key: "r", backup: backup, dataDirectory: directory, mode: mode,
            recovery: RecoverySettings(stop: stop, timeline: timeline, archivingOff: true, settings: settings),
            tablespaces: tablespaces)
        let task = RestoreTaskRequest(restore: request, restoreCommand: try await exportArchive())
        before()
        let text = String(decoding: try JSONText.encode(task), as: UTF8.self)
        return try await agent.carryOut("restore", text).decoded(as: RestoreReport.self)
    }

    /// Runs a task; there is no `fleet` for restored servers to call, so they copy their WAL from a directory.
    func carryOut(_ task: TaskSpec) async throws {
        var task = task
        if task.argv.contains("restore"), let text = task.argv.last {
            var request = try JSONText.decode(RestoreTaskRequest.self, Array(text.utf8), "the request")
            request.restoreCommand = try await exportArchive()
            task.argv[task.argv.count - 1] = String(decoding: try JSONText.encode(request), as: UTF8.self)
        }
        _ = try await agent.carryOut(task)
    }

    /// Fetches all archived WAL with `wal-get`. Returns a restore_command that copies from there.
    private func exportArchive() async throws -> String {
        let directory = scratch.path("fetched")
        try scratch.directory("fetched", mode: 0o777)
        for segment in try await catalog().segments {
            let path = "\(directory)/\(segment.name)"
            guard await agent.run("wal-get", segment.name.description, path) == 0 else {
                throw FleetError(.failed, "wal-get failed: \(agent.log)")
            }
            chmod(path, 0o644)
        }
        for history in try await catalog().timelines where history.timeline > 1 {
            let digits = String(history.timeline, radix: 16, uppercase: true)
            let name = String(repeating: "0", count: 8 - digits.count) + digits + ".history"
            guard await agent.run("wal-get", name, "\(directory)/\(name)") == 0 else {
                throw FleetError(.failed, "wal-get failed: \(agent.log)")
            }
            chmod("\(directory)/\(name)", 0o644)
        }
        return "cp \(directory)/%f %p"
    }

    /// A directory that the server's owner may make a data directory in.
    func place(_ name: String) throws -> String {
        try scratch.directory("\(name).d", owner: server.installation.owner) + "/\(name)"
    }

    /// Starts the server in a restored directory and lends it.
    func boot(_ directory: String, _ body: (PostgresServer) async throws -> Void) async throws {
        let restored = try await PostgresServer.adopt(
            dataDirectory: directory, in: scratch, installation: server.installation)
        try await restored.start()
        do {
            try await body(restored)
            try await restored.stop()
        } catch {
            try? await restored.stop(.immediate)
            throw error
        }
    }
}
