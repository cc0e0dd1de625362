import FleetPluginAPI

/// Everything the instance has written is archived: the target is reachable and the way back is made.
struct Secure: StepPerformer {
    static let patience: Duration = .seconds(600)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let member = try context.member()
        let instance = try context.inventory.instance(member.instance)
        guard member.wayBack == .archive else {
            try await makeReachable(member, instance, context)
            // Nothing can be asked of a server that does not run; what its data directory says is all there is.
            let control = try await context.inventory.platform(of: instance).observe(instance).control
            return try CanonicalJSON.value(
                UndoPoint(
                    wayBack: member.wayBack, timeline: control?.timeline ?? member.timeline ?? 1,
                    lsn: control?.checkpointLSN ?? .zero, tag: member.wayBack == .setAside ? context.run : nil,
                    dataTouched: false))
        }
        let endpoint = try await context.inventory.platform(of: instance).endpoint(of: instance)
        let server = try await context.servers.observe(endpoint, deadline: .seconds(30))
        try checkUnchanged(server, member)
        // The commit after which recovery may stop, and the last one that an undo must bring back.
        let committed = try await context.servers.heartbeat(endpoint, deadline: .seconds(30))
        let end = try await context.servers.switchWAL(endpoint, deadline: .seconds(30))
        await context.note("waiting until WAL up to \(end) of \(instance.name) is archived")
        try await context.awaitArchived(end, of: instance, at: endpoint, deadline: Self.patience)
        try await prove(member, instance, upTo: committed, context)
        return try CanonicalJSON.value(
            UndoPoint(wayBack: .archive, timeline: server.timeline, lsn: committed, tag: nil, dataTouched: false))
    }

    /// The target may need WAL that only the server has so far, whatever the way back is.
    private func makeReachable(_ member: Plan.Member, _ instance: Instance, _ context: StepContext) async throws {
        guard let target = member.target, target.needsHeartbeat || target.pendingSegments > 0 else { return }
        let endpoint = try await context.inventory.platform(of: instance).endpoint(of: instance)
        try checkUnchanged(try await context.servers.observe(endpoint, deadline: .seconds(30)), member)
        let committed = try await context.servers.heartbeat(endpoint, deadline: .seconds(30))
        let end = try await context.servers.switchWAL(endpoint, deadline: .seconds(30))
        await context.note("waiting until WAL up to \(end) of \(instance.name) is archived")
        try await context.awaitArchived(end, of: instance, at: endpoint, deadline: Self.patience)
        try await prove(member, instance, upTo: committed, context)
    }

    private func checkUnchanged(_ server: ServerObservation, _ member: Plan.Member) throws {
        guard member.systemIdentifier == nil || server.systemIdentifier == member.systemIdentifier,
            member.timeline == nil || server.timeline == member.timeline, !server.isInRecovery
        else {
            throw FleetError(
                .drifted, "\(member.instance) is not what it was when the plan was made",
                cause: "system identifier \(server.systemIdentifier), timeline \(server.timeline)"
                    + (server.isInRecovery ? ", in recovery" : ""), hint: "plan again")
        }
    }

    /// The archiver's word is not enough: the archive itself must hold what the restore and its undo will read.
    private func prove(
        _ member: Plan.Member, _ instance: Instance, upTo end: LSN, _ context: StepContext
    ) async throws {
        guard let target = member.target else { return }
        let catalog = try await context.inventory.catalog(of: instance)
        let map = ArchiveMap(catalog)
        let present = member.timeline ?? target.timeline
        var needs = [(target.backup, target.timeline, target.stopLSN ?? target.backup.stopLSN)]
        if member.wayBack == .archive {
            needs.append((try wayBack(to: end, on: present, catalog, map, instance), present, end))
        } else if present == target.timeline {
            needs[0].2 = end
        }
        for (backup, timeline, needed) in needs {
            let history = try history(of: timeline, map, instance)
            let run = map.run(from: backup.startLSN, along: history)
            guard let last = run.last, last.name.end >= needed else {
                let missing = map.name(
                    run.last.map { $0.name.number + 1 } ?? backup.startLSN.rawValue / map.segmentSize, along: history)
                throw FleetError(
                    .refused, "the archive of \(instance.name) lacks WAL segment \(missing)",
                    cause: "the server counts it as archived, the repository does not hold it",
                    hint: "check archive_command: it must push to the repositories that fleet.yaml names")
            }
        }
    }

    /// The backup from which an undo would start: the newest that leads to the present state.
    private func wayBack(
        to end: LSN, on timeline: TimelineID, _ catalog: Catalog, _ map: ArchiveMap, _ instance: Instance
    ) throws -> BackupRecord {
        let history = try history(of: timeline, map, instance)
        let leading = catalog.backups.filter { $0.problem == nil && $0.stopLSN <= end && history.isReached(from: $0) }
        guard let newest = leading.max(by: { $0.stopLSN < $1.stopLSN }) else {
            throw FleetError(
                .refused, "no backup of \(instance.name) leads to its present state, so it could not be brought back",
                cause: "it is on timeline \(timeline) at \(end)",
                hint: "back it up first (fleet backup \(instance.name)), or keep its data with --way-back set-aside")
        }
        return newest
    }

    private func history(of timeline: TimelineID, _ map: ArchiveMap, _ instance: Instance) throws -> TimelineHistory {
        if let history = map.history(of: timeline) { return history }
        throw FleetError(
            .refused, "the history file of timeline \(timeline) of \(instance.name) is not in the archive")
    }
}

/// The target can be reached in the archive of a source that goes on running.
struct Reach: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let member = try context.member()
        let instance = try context.inventory.instance(member.instance)
        let endpoint = try await context.inventory.platform(of: instance).endpoint(of: instance)
        if member.target?.needsHeartbeat == true {
            _ = try await context.servers.heartbeat(endpoint, deadline: .seconds(30))
        }
        let end = try await context.servers.switchWAL(endpoint, deadline: .seconds(30))
        try await context.awaitArchived(end, of: instance, at: endpoint, deadline: Secure.patience)
        return ["archivedTo": .string(end.description)]
    }
}
