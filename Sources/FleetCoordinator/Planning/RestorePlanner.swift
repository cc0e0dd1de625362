import FleetConfig
import FleetPluginAPI
import FleetStore

/// Makes plans for restores. Everything that cannot work is refused here, before anything is stopped.
struct RestorePlanner: Sendable {
    let inventory: Inventory
    let servers: any DatabaseServers
    let store: any StateStore
    let now: Timestamp

    init(inventory: Inventory, servers: any DatabaseServers, store: any StateStore, now: Timestamp) {
        self.inventory = inventory
        self.servers = servers
        self.store = store
        self.now = now
    }

    init(_ context: StepContext) {
        self.init(
            inventory: context.inventory, servers: context.servers, store: context.store, now: context.clock())
    }

    func plan(_ input: RestoreInput) async throws -> Plan {
        guard !input.instances.isEmpty else { throw FleetError(.usage, "no instance is chosen") }
        let members = try await withThrowingTaskGroup(of: Plan.Member.self) { group in
            for name in Set(input.instances) {
                group.addTask { try await member(name, input) }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.instance < $1.instance }
        }
        let names = members.map(\.instance)
        let applications =
            input.into == nil
            ? try await ApplicationPlanner(inventory: inventory).plans(using: names, records: [:]) : []
        let remarks = try await ObstacleCheck(inventory: inventory).pass(
            members: members, beside: input.into != nil, applications: applications.map(\.name))
        let target =
            input.set.map(\.cut) ?? "\(members.first?.target?.requested ?? input.target.target)"
        let title =
            "restore \(input.set.map { "the set \($0.name): " } ?? "")\(names.joined(separator: ", ")) to \(target)"
            + (input.into.map { ", beside it as \($0.name)" } ?? "")
        let stages =
            input.into == nil
            ? StagePlanner(
                members: members, applications: applications, rollout: inventory.configuration.rollout,
                order: input.options.stages, isSet: input.set != nil
            ).stages() : []
        return Plan(
            kind: input.into == nil ? .restore : .restoreInto, title: title, createdAt: now,
            configuration: inventory.configurationDigest, set: input.set, members: members,
            applications: applications, options: input.options, stages: stages,
            steps: input.into == nil
                ? RestoreSteps.inPlace(members, applications, input.options, stages: stages, set: input.set?.name)
                : RestoreSteps.beside(members, set: input.set?.name),
            warnings: warnings(members, applications, input) + remarks)
    }

    private func member(_ name: String, _ input: RestoreInput) async throws -> Plan.Member {
        let instance = try inventory.instance(name)
        let declared = try inventory.declaration(name)
        let world = try await WorldGatherer(inventory: inventory, servers: servers).gather(instance)
        let engine = try inventory.engine(of: name)
        if input.into == nil { try InPlaceRules(world: world, input: input).check() }
        var target = try await resolver(world).resolve(input.targets[name] ?? input.target)
        target.parameters = missing(target.parameters, in: world)
        let wayBack = input.into == nil ? try chooseWayBack(world, input) : .none
        let mode: RestoreRequest.Mode =
            input.into != nil || world.process.state == .absent || wayBack == .setAside ? .empty : .delta
        if input.into == nil, world.server == nil, world.process.state != .absent { reportUnknownLoss(world, &target) }
        if input.into == nil { target.remarks += configurationRemarks(mode, engine, target) }
        if wayBack == .setAside, !target.backup.tablespaces.isEmpty {
            throw FleetError(
                .refused, "\(name) has tablespaces outside its data directory, which cannot be kept beside",
                hint: "start it and let it archive, so that its WAL is the way back, or say --way-back none")
        }
        let sessions: [ServerSession]
        if let endpoint = world.endpoint, input.into == nil {
            sessions = try await servers.sessions(endpoint, deadline: .seconds(10))
        } else {
            sessions = []
        }
        var member = Plan.Member(
            instance: name, environment: instance.environment, target: target, wayBack: wayBack,
            state: world.process.state, systemIdentifier: world.systemIdentifier, timeline: world.timeline,
            mode: mode,
            sessions: sessions, estimate: try await Estimator(store: store).estimate(name, target),
            checks: declared.checks, backup: nil, scratch: input.into.map { scratch(input, $0, world, target) },
            undo: nil,
            repository: declared.repositories.first ?? target.backup.repository)
        if let into = input.into, into.isMasked { member.masking = declared.masking }
        return member
    }

    func resolver(_ world: InstanceWorld) throws -> TargetResolver {
        TargetResolver(try recoveryWorld(world))
    }

    /// What is known now of where an instance can be restored to.
    func recoveryWorld(of instance: Instance) async throws -> RecoveryWorld {
        try recoveryWorld(await WorldGatherer(inventory: inventory, servers: servers).gather(instance))
    }

    private func recoveryWorld(_ world: InstanceWorld) throws -> RecoveryWorld {
        RecoveryWorld(
            instance: world.instance.name, catalog: world.catalog,
            map: ArchiveMap(world.catalog, tail: world.tail), systemIdentifier: world.systemIdentifier,
            currentTimeline: world.timeline, primaryClock: world.isPrimary ? world.server?.clock : nil, now: now,
            reader: EngineWALReader(
                engine: try inventory.engine(of: world.instance.name),
                context: try inventory.readingContext(of: world.instance), tail: world.tailBytes))
    }

    /// Settings that WAL asks for beyond what is configured; nil when what is configured suffices.
    private func missing(_ needed: RecoveryParameters?, in world: InstanceWorld) -> RecoveryParameters? {
        guard let needed else { return nil }
        guard let configured = world.server?.parameters ?? world.process.control?.parameters else { return needed }
        let merged = configured.merged(with: needed)
        return merged == configured ? nil : merged
    }

    /// A server that is down cannot be asked what it wrote and did not archive.
    private func reportUnknownLoss(_ world: InstanceWorld, _ target: inout ResolvedTarget) {
        let windows = RecoveryWindow.all(in: ArchiveMap(world.catalog), backups: world.catalog.backups)
        let archived = windows.filter { $0.timeline == world.timeline ?? target.timeline }.map(\.end).max()
        target.lost.unknownAfter = archived ?? target.backup.stopTime
        target.remarks.append(
            "the server does not run: start it if it can be started, so that it archives what it has not archived yet")
    }

    /// What becomes of `postgresql.conf`, `pg_hba.conf`, `ALTER SYSTEM` and foreign files in the data directory.
    private func configurationRemarks(
        _ mode: RestoreRequest.Mode, _ engine: any Engine, _ target: ResolvedTarget
    ) -> [String] {
        let backup = target.backup.label
        if mode == .empty { return ["configuration files in the data directory will be those of the backup \(backup)"] }
        if engine.capabilities.keepsConfiguration { return [] }
        return [
            "configuration files in the data directory become those of the backup \(backup), and files there that the "
                + "backup has not are removed"
        ]
    }

    private func scratch(
        _ input: RestoreInput, _ into: RestoreInput.Into, _ world: InstanceWorld, _ target: ResolvedTarget
    ) -> ScratchRequest {
        ScratchRequest(
            name: input.scratchName(of: world.instance.name) ?? into.name, source: world.instance,
            place: input.scratchPlace(of: world.instance.name),
            majorVersion: String(target.backup.serverVersion / 10_000), tablespaces: target.backup.tablespaces)
    }

    private func chooseWayBack(_ world: InstanceWorld, _ input: RestoreInput) throws -> Plan.WayBack {
        switch input.wayBack {
        case .none: return .none
        case .setAside: return world.process.state == .absent ? .none : .setAside
        case .auto: break
        }
        if world.process.state == .absent { return .none }
        guard world.isPrimary, let server = world.server else { return .setAside }
        let shipping = WALShipping(instance: world.instance.name, slot: try inventory.walSlot(of: world.instance))
        if let fault = shipping.fault(server) {
            throw FleetError(
                .refused,
                "\(world.instance.name) does not archive its WAL now, so its present state could not be brought back",
                cause: fault.message + (fault.cause.map { ": \($0)" } ?? ""),
                hint: "mend archiving, or keep the data directory beside with --way-back set-aside")
        }
        let history = world.timeline.flatMap { ArchiveMap(world.catalog).history(of: $0) }
        guard history.map({ world.catalog.backups.contains(where: $0.isReached(from:)) }) ?? true else {
            throw FleetError(
                .refused,
                "no backup of \(world.instance.name) leads to its present state, so it could not be brought back",
                hint:
                    "back it up first (fleet backup \(world.instance.name)), or keep its data with --way-back set-aside"
            )
        }
        return .archive
    }

    private func warnings(
        _ members: [Plan.Member], _ applications: [Plan.ApplicationPlan], _ input: RestoreInput
    ) -> [String] {
        let names = Set(members.map(\.instance))
        var warnings = members.flatMap { member in (member.target?.remarks ?? []).map { "\(member.instance): \($0)" } }
        if input.into == nil {
            warnings += applications.compactMap { application in
                let others = application.uses.filter { !names.contains($0) }
                guard !others.isEmpty else { return nil }
                return "\(application.name) also uses \(others.joined(separator: ", ")), which stays as it is: "
                    + "the two will not agree"
            }
            if applications.isEmpty {
                warnings.append("no application in fleet.yaml uses \(names.sorted().joined(separator: ", "))")
            }
            warnings += members.flatMap { member in
                member.sessions.filter { !$0.isClient }.map {
                    "\(member.instance): \"\($0.application)\" from \($0.client) follows it by replication; a standby must be made anew"
                }
            }
            warnings += members.filter { $0.wayBack == .none && $0.state != .absent }.map {
                "\($0.instance): there will be no way back"
            }
        }
        return warnings
    }
}

/// What forbids a restore in place, whatever the target.
struct InPlaceRules {
    let world: InstanceWorld
    let input: RestoreInput

    func check() throws {
        let name = world.instance.name
        if world.server?.isInRecovery == true {
            throw FleetError(
                .refused, "\(name) is a standby or still in recovery", hint: "restore its primary and make it anew")
        }
        if world.process.state == .starting || world.process.state == .stopping {
            throw FleetError(
                .refused, "\(name) is \(world.process.state.rawValue)", hint: "wait until it runs or is stopped")
        }
        if let server = world.server, server.preparedTransactions > 0 {
            throw FleetError(
                .refused, "\(name) holds \(server.preparedTransactions) prepared transactions",
                cause: "a restore would take them away from their transaction managers",
                hint: "commit or roll them back first: select gid from pg_prepared_xacts")
        }
    }
}
