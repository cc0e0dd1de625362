import FleetPluginAPI

/// The paused server is proven to be at the target, and its data answers the declared checks.
struct Verify: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let member = try context.member()
        guard let target = member.target else {
            throw FleetError(.drifted, "the plan has no target for \(member.instance)")
        }
        let place = try await context.place()
        let replay = try await Recover().waitAtTarget(context)
        let endpoint = try await context.inventory.platform(of: place).endpoint(of: place)
        try provePoint(replay, target, member)
        if member.scratch != nil { try await proveSeparate(endpoint, context) }
        var results: [DataCheckResult] = []
        for check in member.checks {
            results.append(try await context.servers.check(check, at: endpoint, deadline: .seconds(60)))
        }
        let failed = results.filter { !$0.passed }
        // An undo brings back what was, whether that was good or not: its checks are told, not enforced.
        // A search looks for where they pass.
        if !failed.isEmpty, member.undo == nil, context.plan.kind != .search {
            throw FleetError(
                .checkFailed, "\(failed.count) of \(results.count) checks of \(member.instance) failed",
                cause: failed.map { "\($0.check): \($0.reason ?? $0.value ?? "")" }.joined(separator: "; "))
        }
        return [
            "replay": try CanonicalJSON.value(replay),
            "checks": .array(try results.map { try CanonicalJSON.value($0) }),
        ]
    }

    private func provePoint(_ replay: ReplayObservation, _ target: ResolvedTarget, _ member: Plan.Member) throws {
        guard let replayed = replay.replayedTo, replay.isInRecovery else {
            throw FleetError(.checkFailed, "\(member.instance) is not in recovery")
        }
        if let kept = target.lastKept, replayed < kept.end {
            throw FleetError(
                .checkFailed,
                "\(member.instance) stands at \(replayed), before the last commit it must have (\(kept.end), \(kept.time))"
            )
        }
        if case .endOfWAL = target.stop { return }
        // Up to the heartbeat the server writes more that is no commit; only the commits' times tell then.
        if !target.needsHeartbeat, let stop = target.stopLSN, replayed > stop {
            throw FleetError(.checkFailed, "\(member.instance) stands at \(replayed), after the target (\(stop))")
        }
        if case .time(let time) = target.stop, let last = replay.lastTransactionAt, last > time {
            throw FleetError(.checkFailed, "\(member.instance) holds a commit of \(last), after the target \(time)")
        }
    }

    /// A clone that archives would write its future into its source's archive.
    private func proveSeparate(_ endpoint: Endpoint, _ context: StepContext) async throws {
        let mode = try await context.servers.observe(endpoint, deadline: .seconds(30)).archiving.mode
        guard mode == "off" else {
            throw FleetError(
                .checkFailed, "the restored copy has archive_mode = \(mode)",
                cause: "it would archive into the repository of its source")
        }
    }
}

/// The instance is a primary again.
struct Promote: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let place = try await context.place()
        let platform = try context.inventory.platform(of: place)
        try await platform.start(place, deadline: Start.patience)
        let endpoint = try await platform.endpoint(of: place)
        if try await context.servers.replay(endpoint, deadline: .seconds(30)).isInRecovery {
            _ = try await Recover().waitAtTarget(context, mayBePromoted: context.attempt > 1)
        }
        // From here on it takes writes: nobody may be there to make them yet.
        try await ApplicationWatch(context: context).demandDown()
        try await context.servers.promote(endpoint, deadline: .seconds(120))
        let server = try await context.servers.observe(endpoint, deadline: .seconds(30))
        return ["timeline": .integer(Int64(server.timeline)), "lsn": .string(server.lsn.description)]
    }
}

/// What recovery needed is gone from the configuration, and archiving works on the new timeline.
struct Settle: StepPerformer {
    static let recoverySettings = [
        "restore_command", "recovery_target", "recovery_target_time", "recovery_target_lsn", "recovery_target_xid",
        "recovery_target_name", "recovery_target_inclusive", "recovery_target_action", "recovery_target_timeline",
        "hot_standby", "primary_conninfo", "archive_cleanup_command",
    ]

    func perform(_ context: StepContext) async throws -> JSONValue {
        let place = try await context.place()
        let platform = try context.inventory.platform(of: place)
        try await platform.start(place, deadline: Start.patience)
        let endpoint = try await platform.endpoint(of: place)
        try await context.servers.changeSettings(
            Dictionary(uniqueKeysWithValues: Self.recoverySettings.map { ($0, nil) }), at: endpoint,
            deadline: .seconds(30))
        let server = try await context.servers.observe(endpoint, deadline: .seconds(30))
        if server.preparedTransactions > 0 {
            await context.note(
                "\(place.name) holds \(server.preparedTransactions) prepared transactions; their managers must finish them"
            )
        }
        guard try context.member().scratch == nil else {
            return ["endpoint": try CanonicalJSON.value(endpoint)]
        }
        _ = try await context.servers.heartbeat(endpoint, deadline: .seconds(30))
        await checkpoint(endpoint, context)
        let end = try await context.servers.switchWAL(endpoint, deadline: .seconds(30))
        try await context.awaitArchived(end, of: place, at: endpoint, deadline: Secure.patience)
        return ["timeline": .integer(Int64(server.timeline)), "archivedTo": .string(end.description)]
    }

    /// The server makes one by itself, spread over minutes. Before it has, pgBackRest refuses to back it up ("WAL timeline
    /// does not match pg_control timeline"), and a crash would replay all that was replayed.
    private func checkpoint(_ endpoint: Endpoint, _ context: StepContext) async {
        do {
            try await context.servers.checkpoint(endpoint, deadline: .seconds(600))
        } catch {
            await context.note("no checkpoint was made after the promotion; the server makes one by itself: \(error)")
        }
    }
}
