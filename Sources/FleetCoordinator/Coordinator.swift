import FleetConfig
public import FleetPluginAPI
public import FleetStore

/// fleet's centre: what commands, the server and schedules ask for everything.
public struct Coordinator: Sendable {
    public let inventory: Inventory
    public let store: any StateStore
    public let servers: any DatabaseServers
    let person: Operator
    let clock: @Sendable () -> Timestamp

    public init(
        inventory: Inventory, store: any StateStore, servers: any DatabaseServers, person: Operator,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.inventory = inventory
        self.store = store
        self.servers = servers
        self.person = person
        self.clock = clock
    }

    public var now: Timestamp { clock() }

    /// Who asks, as the audit names people.
    public var personName: String { person.name }

    var engine: RunEngine {
        RunEngine(store: store, inventory: inventory, servers: servers, person: person, clock: clock)
    }
}

extension Coordinator {
    /// Plans a restore; changes nothing.
    ///
    /// - Throws: `refused` with the nearest target that works; whatever cannot be found out.
    public func planRestore(_ input: RestoreInput) async throws -> Plan {
        try await RestorePlanner(inventory: inventory, servers: servers, store: store, now: now).plan(input)
    }

    /// Plans to bring back what was before a run.
    ///
    /// - Parameter keepsStages: whether what belongs to finished stages alone stays as it is.
    public func planUndo(of run: RunRecord, keepsStages: Bool = false) async throws -> Plan {
        try await UndoPlanner(inventory: inventory, servers: servers, store: store, now: now)
            .plan(undoing: run, keepsStages: keepsStages)
    }

    /// Plans a backup of each instance.
    ///
    /// - Parameter repository: by name; nil for the first that each instance declares.
    public func planBackup(
        _ instances: [String], kind: BackupRecord.Kind, repository: String? = nil
    ) async throws -> Plan {
        let members = try instances.map { name in
            try backupMember(name, kind: kind, repository: repository)
        }
        return Plan(
            kind: .backup, title: "\(kind.rawValue) backup of \(instances.joined(separator: ", "))", createdAt: now,
            configuration: inventory.configurationDigest, members: members, applications: [],
            options: RestoreOptions(), steps: RestoreSteps.backups(members), warnings: [])
    }

    private func backupMember(_ name: String, kind: BackupRecord.Kind, repository: String?) throws -> Plan.Member {
        let declared = try inventory.declaration(name)
        let repositories = try inventory.repositoryNames(of: name)
        if let repository, !repositories.contains(repository) {
            throw FleetError(
                .notFound, "\(name) does not use a repository \(repository)",
                hint: "it uses: " + repositories.joined(separator: ", "))
        }
        let engine = try inventory.engine(of: name)
        guard engine.capabilities.backupKinds.contains(kind) else {
            throw FleetError(
                .unsupported, "the engine \(declared.engine.plugin) of \(name) makes no \(kind.rawValue) backups",
                hint: "it makes: " + engine.capabilities.backupKinds.map(\.rawValue).joined(separator: ", "))
        }
        let target = repository ?? repositories[0]
        return Plan.Member(
            instance: name, environment: try inventory.instance(name).environment, target: nil, wayBack: .none,
            state: .running, systemIdentifier: nil, timeline: nil, mode: .empty, sessions: [], estimate: nil,
            checks: [], backup: BackupRequest(key: "", kind: kind, repository: target), scratch: nil, undo: nil,
            repository: target)
    }
}
