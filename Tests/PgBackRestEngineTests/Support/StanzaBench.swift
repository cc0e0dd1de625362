import DirectoryStorage
import FleetPluginAPI
import FleetTestSupport
import Foundation
import HostPlatform

@testable import PgBackRestEngine

/// A real server, a real stanza, and the real `fleet agent` beside the data, as a coordinator has them.
struct StanzaBench: Sendable {
    let scratch: ScratchDirectory
    let server: PostgresServer
    /// pgBackRest's own configuration, which is used unless the repository is declared in fleet.yaml.
    let stanza: PgBackRestStanza
    /// Where the repository is.
    let repository: String
    let engine: PgBackRestEngine
    let context: EngineContext
    let platform: HostPlatform

    static func with(
        options: [String: JSONValue] = [:], global: [String] = [], segmentMegabytes: Int = 1, creates: Bool = true,
        major: Int? = nil, declares: Bool = false, _ body: (StanzaBench) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            var server = PostgresServer.Options(segmentMegabytes: segmentMegabytes)
            if let major { server.installation = try await .major(major) }
            let bench = try await StanzaBench(scratch, .create(in: scratch, server), options, global, declares)
            try await bench.server.start()
            if creates && !declares { try await bench.stanza.create() }
            try await body(bench)
        }
    }

    private init(
        _ scratch: ScratchDirectory, _ server: PostgresServer, _ more: [String: JSONValue], _ global: [String] = [],
        _ declares: Bool = false
    ) throws {
        self.scratch = scratch
        self.server = server
        stanza = try PgBackRestStanza("orders", of: server, in: scratch, global: global)
        let state = try scratch.directory("state")
        let declared = try scratch.directory("declared", owner: server.installation.owner)
        repository = declares ? "\(declared)/\(RenderedOptions.folder)" : stanza.repository
        let options = PluginOptions(
            (declares ? [:] : ["configFile": .string(stanza.configuration)]).merging(more) { $1 })
        var engineUse = options.values
        engineUse["plugin"] = "pgbackrest"
        let use = String(decoding: try JSONEncoder().encode(engineUse), as: UTF8.self)
        let configuration = try scratch.write(
            """
            apiVersion: fleet/v1
            kind: Fleet
            state: {sqlite: state/fleet.db}
            clusters:
              local: {environment: dev, platform: {plugin: host}}
            instances:
              orders:
                cluster: local
                platform: {dataDirectory: \(server.dataDirectory)}
                engine: \(use)
                \(declares ? "repositories: [local]" : "labels: {keeps: its own}")
            repositories:
              local: {storage: {plugin: directory, path: \(declared)}}
            """, to: "fleet.yaml")
        let agent = AgentInvocation(executable: try BuiltProgram.path("fleet"), configuration: configuration)
        let instance = Instance(
            name: "orders", cluster: "local", environment: "dev",
            platform: PluginOptions(["dataDirectory": .string(server.dataDirectory)]))
        let plugin = PluginContext(
            name: "orders", stateDirectory: state, agent: agent,
            resolve: { throw FleetError(.configuration, "there is no secret \($0)") })
        let platform = try HostPlatform(context: plugin, options: PluginOptions())
        self.platform = platform
        engine = try PgBackRestEngine(plugin, options)
        context = EngineContext(
            instance: instance,
            repositories: declares
                ? [
                    .init(
                        name: "local", storage: try DirectoryStorage(name: "local", root: declared),
                        plugin: "directory", options: PluginOptions(["path": .string(declared)]))
                ] : [],
            agent: agent,
            location: InstanceLocation(
                dataDirectory: server.dataDirectory, owner: server.installation.owner.name, binDirectory: nil),
            endpoint: Endpoint(host: server.socketDirectory, port: server.port, user: server.user),
            ask: { try await platform.query($0, of: instance) })
        let archive = try engine.archiving(context).archive
        try server.configure(["archive_mode": "on", "archive_command": archive])
    }

    /// What it is after `pg_upgrade` into a data directory of the newer version's, which runs, and to which the
    /// configurations of pgBackRest and fleet have been pointed.
    func upgraded(to major: Int, options: [String: JSONValue] = [:]) async throws -> StanzaBench {
        try await server.stop()
        let new = PostgresServer.Options(segmentMegabytes: 1, installation: try await .major(major))
        let bench = try await StanzaBench(scratch, .create(in: scratch, name: "upgraded", new), options)
        let owner = server.installation.owner
        let directory = try scratch.directory("pg_upgrade", owner: owner)
        try await runTool(
            owner.argv([
                bench.server.installation.program("pg_upgrade"), "--username=postgres", "--socketdir=\(directory)",
                "--old-bindir=\(server.installation.binaries)", "--old-datadir=\(server.dataDirectory)",
                "--new-bindir=\(bench.server.installation.binaries)", "--new-datadir=\(bench.server.dataDirectory)",
            ]), directory: directory
        ).checked()
        try await bench.server.start()
        return bench
    }

    /// Runs a task as its platform would: beside the data, as its owner. Returns its result.
    ///
    /// - Throws: what it says went wrong.
    @discardableResult
    func carryOut(_ task: TaskSpec) async throws -> JSONValue {
        let environment = ProcessInfo.processInfo.environment.merging(task.environment) { $1 }
        let done = try await runTool(
            server.installation.owner.argv(task.argv), environment: environment, directory: "/")
        var result = JSONValue.null
        for event in done.text.split(separator: "\n").compactMap({ engine.event(fromLine: String($0)) }) {
            switch event {
            case .failure(let error): throw error
            case .result(let value): result = value
            case .progress, .log: break
            }
        }
        try done.checked()
        return result
    }

    @discardableResult
    func backup(_ key: String, _ kind: BackupRecord.Kind = .full) async throws -> JSONValue {
        try await carryOut(try await engine.backup(.init(key: key, kind: kind, repository: "repo1"), context))
    }

    func restore(
        _ backup: BackupRecord, to directory: String, mode: RestoreRequest.Mode = .empty,
        tablespaces: [String: String] = [:]
    ) async throws {
        let request = RestoreRequest(
            key: "restore", backup: backup, dataDirectory: directory, mode: mode,
            recovery: RecoverySettings(stop: .immediate, timeline: 1, archivingOff: true), tablespaces: tablespaces)
        try await carryOut(try await engine.restore(request, context))
    }

    /// A directory that the server's owner may make a data directory in.
    func place(_ name: String) throws -> String {
        try scratch.directory("\(name).d", owner: server.installation.owner) + "/\(name)"
    }

    /// Ends the current segment and waits until it is in the repository. Returns its name.
    @discardableResult
    func archiveAll() async throws -> String {
        try await server.query("create table if not exists archived (i int); insert into archived values (1)")
        let name = try await server.value("select pg_walfile_name(pg_switch_wal())")
        try await waitUntil("\(name) is archived") { !stanza.archived(name + "-").isEmpty }
        return name
    }

    func code(of work: () async throws -> Void) async -> FleetError.Code? {
        do {
            try await work()
            return nil
        } catch {
            return (error as? FleetError)?.code
        }
    }
}
