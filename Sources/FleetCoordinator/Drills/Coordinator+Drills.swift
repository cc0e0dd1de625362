public import FleetPluginAPI
public import FleetStore

/// What a drill restores to.
public enum DrillTarget: Sendable {
    case at(RecoveryTarget)
    /// A moment drawn at random of all that an instance can be restored to; of a set, one of its marks.
    case random
}

extension Coordinator {
    /// Plans a drill: a restore into a scratch place that is checked, looked through, timed and removed.
    ///
    /// - Throws: as planning a restore does; `refused` where there is nothing to draw from.
    public func planDrill(_ instances: [String], target: DrillTarget) async throws -> Plan {
        var input = RestoreInput(instances: instances, target: TargetRequest(target: .latest), into: Self.drillPlace)
        input.options.onFailure = .putBack
        for name in instances {
            switch target {
            case .at(let target): input.targets[name] = TargetRequest(target: target)
            case .random: input.targets[name] = TargetRequest(target: .time(try await drawnMoment(of: name)))
            }
        }
        return drill(try await planRestore(input))
    }

    public func planDrill(ofSet name: String, target: DrillTarget) async throws -> Plan {
        var chosen = RecoveryTarget.latest
        switch target {
        case .at(let target): chosen = target
        case .random:
            let usable = try await marks(of: name, limit: 1000).filter { $0.state == .archived && $0.kind != .loose }
            guard let mark = usable.randomElement() else {
                throw FleetError(
                    .refused, "the restore set \(name) has no mark to draw from",
                    hint: "make one with: fleet mark create --set \(name)")
            }
            chosen = .mark(mark.name)
        }
        return drill(
            try await planSetRestore(
                name, target: chosen,
                RestoreTerms(into: Self.drillPlace, wayBack: .none, options: RestoreOptions(onFailure: .putBack))))
    }

    private static var drillPlace: RestoreInput.Into {
        RestoreInput.Into(name: "drill", place: nil, isPrefix: true, isMasked: false)
    }

    private func drill(_ plan: Plan) -> Plan {
        var drill = plan
        drill.kind = .drill
        let names = plan.members.map(\.instance).joined(separator: ", ")
        drill.title = "drill: restore \(plan.set.map { "the set \($0.name): " } ?? "")\(names) into copies"
        drill.steps = RestoreSteps.rehearsal(plan.members, set: plan.set?.name, inspects: true)
        return drill
    }

    /// A moment inside the recovery windows of the instance's newest timeline, each as likely as its length.
    private func drawnMoment(of name: String) async throws -> Timestamp {
        let found = await windows(of: [name])[0]
        if let error = found.error { throw error }
        let newest = found.windows.map(\.timeline).max()
        let spans = found.windows.filter { $0.timeline == newest }.map { $0.end.microseconds - $0.start.microseconds }
        let whole = spans.reduce(0, +)
        guard whole > 0 else {
            throw FleetError(
                .refused, "\(name) has no recovery window to draw a moment from", hint: "see: fleet window \(name)")
        }
        var drawn = Int64.random(in: 0..<whole)
        for window in found.windows where window.timeline == newest {
            let span = window.end.microseconds - window.start.microseconds
            if drawn < span { return Timestamp(microseconds: window.start.microseconds + drawn) }
            drawn -= span
        }
        throw FleetError(.failed, "no moment was drawn")
    }

    /// Drills of these instances, newest first.
    public func drills(of instances: Set<String>, limit: Int) async throws -> [DrillResult] {
        var results: [DrillResult] = []
        for run in try await store.runs(kind: Plan.Kind.drill.rawValue, limit: limit) {
            let plan = try run.decodedPlan()
            guard plan.members.contains(where: { instances.contains($0.instance) }) else { continue }
            results.append(try DrillResult(run, plan, try await store.steps(of: run.id), in: inventory))
        }
        return results
    }

    /// What a drill has come to.
    public func drillResult(of run: RunRecord) async throws -> DrillResult {
        try DrillResult(run, run.decodedPlan(), try await store.steps(of: run.id), in: inventory)
    }
}
