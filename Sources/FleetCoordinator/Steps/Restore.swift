import FleetPluginAPI

/// The data directory holds the backup, and the server is told where to recover to.
struct Restore: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let member = try context.member()
        guard let target = member.target else {
            throw FleetError(.drifted, "the plan has no target for \(member.instance)")
        }
        let source = try context.inventory.instance(member.instance)
        let scratch = try await context.scratchPlace()
        let place = scratch?.instance ?? source
        let engine = try context.inventory.engine(of: member.instance)
        let working = try await context.inventory.workingContext(of: source, at: place)
        guard let directory = working.location?.dataDirectory else {
            throw FleetError(.unavailable, "nobody can tell where the data of \(place.name) is")
        }
        let request = RestoreRequest(
            key: context.taskKey, backup: target.backup, dataDirectory: directory, mode: member.mode,
            recovery: RecoverySettings(
                stop: target.stop, timeline: target.timeline, archivingOff: scratch != nil,
                parameters: target.parameters, settings: scratch?.settings ?? [:]),
            tablespaces: scratch?.tablespaces ?? [:])
        let task = try await engine.restore(request, working)
        let start = ContinuousClock.now
        let follower = try TaskFollower(context: context, engine: engine, member: member.instance, place: place)
        let result = try await ApplicationWatch(context: context).during { try await follower.carryOut(task) }
        await context.recordDuration("restore", member.instance, target.backup.size, ContinuousClock.now - start)
        return result
    }
}

/// A new backup is in the repository.
struct Backup: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let member = try context.member()
        let instance = try context.inventory.instance(member.instance)
        let engine = try context.inventory.engine(of: member.instance)
        let request = BackupRequest(
            key: context.taskKey, kind: member.backup?.kind ?? .full,
            repository: member.backup?.repository ?? member.repository)
        let working = try await context.inventory.workingContext(of: instance)
        let task = try await engine.backup(request, working)
        let start = ContinuousClock.now
        let follower = try TaskFollower(context: context, engine: engine, member: member.instance, place: instance)
        let result = try await follower.carryOut(task)
        let size = result["size"]?.integer ?? 0
        await context.recordDuration("backup", member.instance, size, ContinuousClock.now - start)
        return result
    }
}
