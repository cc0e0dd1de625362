import FleetPluginAPI

/// Recovery has come to the target and stands there, paused.
struct Recover: StepPerformer {
    /// Without any progress for this long, replay counts as stuck.
    static let patience: Duration = .seconds(300)

    func perform(_ context: StepContext) async throws -> JSONValue {
        try CanonicalJSON.value(try await ApplicationWatch(context: context).during { try await waitAtTarget(context) })
    }

    /// Waits until replay stands at the target. A server that is down (it died of a fault that was mended since, or
    /// its machine was restarted) is started first and comes to the same place again.
    ///
    /// - Parameter mayBePromoted: somebody may have told the server to leave recovery, as a coordinator that was killed
    ///   right after that; a server that leaves it is at its target then.
    func waitAtTarget(_ context: StepContext, mayBePromoted: Bool = false) async throws -> ReplayObservation {
        let member = try context.member()
        guard let target = member.target else {
            throw FleetError(.drifted, "the plan has no target for \(member.instance)")
        }
        let place = try await context.place()
        let platform = try context.inventory.platform(of: place)
        try await platform.start(place, deadline: Start.patience)
        let endpoint = try await platform.endpoint(of: place)
        let clock = ContinuousClock()
        let start = clock.now
        var lastMove = clock.now
        var reached: LSN?
        while true {
            let replay = try await observe(endpoint, place, platform, context)
            if replay.isInRecovery, isThere(replay, target, member) {
                let bytes = max(0, (replay.replayedTo ?? .zero) - target.backup.startLSN)
                await context.recordDuration("replay", member.instance, bytes, clock.now - start)
                return replay
            }
            guard replay.isInRecovery else {
                if mayBePromoted { return replay }
                throw promotedEarly(place.name)
            }
            if replay.replayedTo != reached {
                reached = replay.replayedTo
                lastMove = clock.now
            }
            await context.progress(progress(replay, target))
            if clock.now - lastMove > Self.patience { throw await stuck(place, platform, replay) }
            try await clock.sleep(for: .milliseconds(200))
        }
    }

    /// A server that died in recovery says why in its log.
    private func observe(
        _ endpoint: Endpoint, _ place: Instance, _ platform: any Platform, _ context: StepContext
    ) async throws -> ReplayObservation {
        do {
            return try await context.servers.replay(endpoint, deadline: .seconds(30))
        } catch {
            let state = try await platform.observe(place).state
            guard state == .stopped || state == .stopping else { throw error }
            let log = try await platform.recentLog(of: place, lines: 20).filter(isTelling)
            throw FleetError(
                .failed, "\(place.name) stopped during recovery", cause: log.joined(separator: "\n"),
                hint: "mend what its log names, then: fleet runs resume \(context.run); "
                    + "or put everything back: fleet runs abort \(context.run)")
        }
    }

    private func isTelling(_ line: String) -> Bool {
        ["FATAL", "PANIC", "ERROR", "HINT", "DETAIL", "fleet"].contains { line.contains($0) }
    }

    private func isThere(_ replay: ReplayObservation, _ target: ResolvedTarget, _ member: Plan.Member) -> Bool {
        guard case .endOfWAL = target.stop else { return replay.isPaused }
        let end = max(target.stopLSN ?? .zero, member.undo?.lsn ?? .zero)
        return (replay.replayedTo ?? .zero) >= end
    }

    private func progress(_ replay: ReplayObservation, _ target: ResolvedTarget) -> TaskProgress {
        let start = target.backup.startLSN
        return TaskProgress(
            phase: "replay", bytesDone: max(0, (replay.replayedTo ?? start) - start),
            bytesTotal: target.stopLSN.map { max(0, $0 - start) })
    }

    private func promotedEarly(_ name: String) -> FleetError {
        FleetError(
            .checkFailed, "\(name) left recovery before it was told to",
            hint: "something promoted it, or its recovery settings were changed; its state is not the target")
    }

    private func stuck(_ place: Instance, _ platform: any Platform, _ replay: ReplayObservation) async -> FleetError {
        let log = (try? await platform.recentLog(of: place, lines: 5)) ?? []
        return FleetError(
            .timedOut,
            "replay of \(place.name) stands at \(replay.replayedTo?.description ?? "the beginning") since "
                + DurationText.text(Self.patience), cause: log.joined(separator: "\n"))
    }
}
