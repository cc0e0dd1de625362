import FleetConfig
import FleetPluginAPI

/// Copies of the members of a set, each beside its source and paused in recovery, that are moved to where a search wants
/// to look.
///
/// A paused server is moved forward by another target and a restart. The way back is a restore over what is there.
actor MovableCopies: CutProber {
    private let context: StepContext
    private var standing: [String: LSN] = [:]
    private var worlds: [String: RecoveryWorld] = [:]

    private static let targets = [
        "recovery_target", "recovery_target_time", "recovery_target_xid", "recovery_target_name",
    ]

    /// - Parameter standing: where each copy is known to stand; the others are restored when they are asked.
    init(_ context: StepContext, standing: [String: LSN]) {
        self.context = context
        self.standing = standing
    }

    func result(of invariant: Invariant, at cut: [String: CommitHistory.Position]) async throws -> DataCheckResult {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (member, position) in cut { group.addTask { try await self.move(member, to: position.lsn) } }
            try await group.waitForAll()
        }
        return try await InvariantCheck(context).result(of: invariant)
    }

    /// What is known of a member's archive and of its server, since the search began.
    func world(of member: String) async throws -> RecoveryWorld {
        if let world = worlds[member] { return world }
        let world = try await RestorePlanner(context).recoveryWorld(of: context.inventory.instance(member))
        worlds[member] = world
        return world
    }

    private func move(_ member: String, to lsn: LSN) async throws {
        let before = standing[member]
        if before == lsn { return }
        // Should it fail halfway, it stands nowhere.
        standing[member] = nil
        let target = try await target(of: member, at: lsn)
        let moved = try context.turned(to: member, target: target)
        let place = try await moved.place()
        let platform = try context.inventory.platform(of: place)
        if let before, before < lsn {
            let endpoint = try await platform.endpoint(of: place)
            var settings: [String: String?] = ["recovery_target_lsn": "\(lsn)", "recovery_target_inclusive": "off"]
            for name in Self.targets { settings.updateValue(nil, forKey: name) }
            try await context.servers.changeSettings(settings, at: endpoint, deadline: .seconds(30))
            try await platform.stop(place, mode: .fast, deadline: Stop.patience)
        } else {
            try await platform.stop(place, mode: .fast, deadline: Stop.patience)
            _ = try await Restore().perform(moved)
        }
        let replay = try await Recover().waitAtTarget(moved)
        guard let replayed = replay.replayedTo, replayed <= lsn else {
            throw FleetError(
                .checkFailed, "the copy of \(member) stands at \(replay.replayedTo?.description ?? "no place")",
                cause: "it was to stand at \(lsn)")
        }
        standing[member] = lsn
    }

    private func target(of member: String, at lsn: LSN) async throws -> ResolvedTarget {
        let timeline = context.plan.member(member)?.target?.timeline
        return try await TargetResolver(world(of: member)).resolve(
            TargetRequest(target: .lsn(lsn), timeline: timeline))
    }
}

extension StepContext {
    /// The same for another place of a member's recovery, over the data that is in its copy.
    fileprivate func turned(to member: String, target: ResolvedTarget) throws -> StepContext {
        guard let index = plan.members.firstIndex(where: { $0.instance == member }) else {
            throw FleetError(.drifted, "the plan has no member \(member)")
        }
        var turned = self
        turned.step.subject = member
        turned.part = target.stopLSN.map { "\($0)" }
        turned.plan.members[index].target = target
        turned.plan.members[index].mode = .delta
        return turned
    }
}
