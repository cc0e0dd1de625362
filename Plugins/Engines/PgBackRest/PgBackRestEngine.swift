public import FleetPluginAPI
import FoundationEssentials

/// pgBackRest (2.33 to 2.60) as it is: its repositories, its configuration, its program.
///
/// The program runs beside the data: tasks through `fleet agent pgbackrest-…`, which follows what it says, and
/// questions about the repositories through `EngineContext.ask`.
public struct PgBackRestEngine: Engine {
    let program: PgBackRest
    /// pgBackRest's numbers of the repositories, `repo1` is 1; never empty.
    let keys: [Int]
    let retention: Retention
    let managesStanza: Bool
    let processes: Int?
    /// What was read once and cannot change.
    let memory: CatalogMemory

    /// Who removes old backups.
    enum Retention: String, CaseIterable {
        /// pgBackRest, by `repoN-retention-…` of its configuration, after each backup.
        case pgbackrest
        /// fleet, by the instance's policy.
        case fleet
    }

    static let name = "pgbackrest"

    public static let descriptor = PluginDescriptor(
        role: .engine, name: name, version: "0.1.0",
        summary: "pgBackRest 2.33 to 2.60, with its own configuration or with repositories of fleet.yaml",
        options: [
            OptionSpec("stanza", .string, help: "The stanza; the name of the instance without it."),
            OptionSpec(
                "configFile", .path,
                help:
                    "pgBackRest's configuration where the data is. Without it: its own default place, or none where the "
                    + "instance has `repositories`."),
            OptionSpec(
                "binary", .string, default: .string("pgbackrest"),
                help: "The program where the data is: a path, or a name to be looked up there."),
            OptionSpec(
                "repos", .stringList, default: .array([.string("1")]),
                help: "Numbers of pgBackRest's repositories, in order of preference. They are called repo1, repo2, …"),
            OptionSpec(
                "retention", .choice(Retention.allCases.map(\.rawValue)), default: .string("pgbackrest"),
                help: "Who removes old backups: pgbackrest, by its configuration after each backup; or fleet, by the "
                    + "policy and fleet backups expire. Never both."),
            OptionSpec(
                "manageStanza", .boolean, default: .bool(false),
                help: "Whether a backup creates a stanza that is missing and upgrades it after pg_upgrade."),
            OptionSpec(
                "processes", .integer(minimum: 1, maximum: 999),
                help: "pgBackRest's process-max for backup, restore and verify; as its configuration says without it."),
        ], keepsOwnRepositories: true)

    public init(_ context: PluginContext, _ options: PluginOptions = PluginOptions()) throws {
        program = PgBackRest(
            binary: options.string("binary") ?? "pgbackrest", configuration: options.string("configFile"),
            stanza: options.string("stanza") ?? context.name)
        try program.check()
        keys = try Self.keys(options.strings("repos") ?? ["1"])
        retention = options.string("retention").flatMap(Retention.init) ?? .pgbackrest
        managesStanza = options.bool("manageStanza") ?? false
        processes = options.integer("processes").map(Int.init)
        memory = CatalogMemory(file: "\(context.stateDirectory)/pgbackrest/\(context.name).jsonl")
    }

    private static func keys(_ texts: [String]) throws -> [Int] {
        let keys = texts.compactMap { Int($0) }.filter { (1...256).contains($0) }
        guard keys.count == texts.count, !keys.isEmpty, Set(keys).count == keys.count else {
            throw FleetError(
                .configuration,
                "repos is a list of different numbers from 1 to 256, not \(texts.joined(separator: ", "))",
                hint: "write [1], or [1, 2] for repo1 and repo2")
        }
        return keys
    }

    public var capabilities: EngineCapabilities {
        EngineCapabilities(backupKinds: [.full, .diff, .incr], deltaRestore: true, remapsTablespaces: true)
    }

    public var ownRepositories: [String] { keys.map { "repo\($0)" } }

    public func event(fromLine line: String) -> TaskEvent? {
        guard line.hasPrefix("{") else { return line.isEmpty ? nil : .log(line) }
        return (try? JSONText.decode(TaskEvent.self, Array(line.utf8), "an event")) ?? .log(line)
    }
}

extension PgBackRestEngine {
    /// Whether fleet.yaml says where the repositories are, and not a configuration of pgBackRest's.
    func isRendered(_ context: EngineContext) -> Bool {
        program.configuration == nil && !context.repositories.isEmpty
    }

    /// What pgBackRest must be told where fleet.yaml says where the repositories are; nil where its configuration does.
    func rendered(_ context: EngineContext) throws -> RenderedOptions? {
        guard isRendered(context) else { return nil }
        var options = try RenderedOptions(context.repositories)
        options.add(context.location, context.endpoint)
        return options
    }

    /// The program as it is called for an instance.
    func program(_ context: EngineContext) -> PgBackRest {
        var program = program
        program.hasNoFile = isRendered(context)
        return program
    }

    /// pgBackRest's repositories with the names that fleet knows them by: those of fleet.yaml in its order, else
    /// `repo1`, ….
    func repositories(_ context: EngineContext) -> [RepositoryKey] {
        let keys = isRendered(context) ? Array(1...context.repositories.count) : keys
        return zip(keys, context.repositories.isEmpty ? ownRepositories : context.repositories.map(\.name))
            .map { RepositoryKey(key: $0, name: $1) }
    }

    /// Whether a backup makes a stanza that is missing.
    func managesStanza(_ context: EngineContext) -> Bool { managesStanza || isRendered(context) }

    /// Who removes old backups. Repositories of fleet.yaml have no retention but the policy's.
    func retention(_ context: EngineContext) -> Retention { isRendered(context) ? .fleet : retention }

    /// - Throws: `configuration` when the instance has no such repository.
    func repository(_ name: String, _ context: EngineContext) throws -> RepositoryKey {
        let all = repositories(context)
        guard let found = all.first(where: { $0.name == name }) else {
            throw FleetError(
                .configuration, "the instance \(context.instance.name) has no repository \(name)",
                hint: "it has " + all.map(\.name).joined(separator: ", "))
        }
        return found
    }
}

/// A repository by pgBackRest's number and by fleet's name.
struct RepositoryKey: Hashable, Sendable, Codable {
    var key: Int
    var name: String
}
