import FleetPluginAPI
public import FleetStore

extension Coordinator {
    /// The process that carries the run out, or the run that puts it back, as people name it; nil when nobody does.
    public func carrier(of run: RunRecord) async throws -> String? {
        guard run.state == .running || run.state == .waiting || run.state == .aborting else { return nil }
        return try await holder(of: run)
    }

    /// Whether it stopped and nothing more comes of it before somebody goes on with it. A process that has stopped a
    /// run may yet put it back.
    public func hasComeToRest(_ run: RunRecord) async throws -> Bool {
        if run.state.isEnded { return true }
        guard run.state == .interrupted || run.state == .waiting else { return false }
        return try await holder(of: run) == nil
    }

    private func holder(of run: RunRecord) async throws -> String? {
        let back = run.state == .aborting ? try await putBackRun(of: run) : nil
        for id in [run.id, back].compactMap({ $0 }) {
            guard let lease = try await store.lease(of: id), lease.expiresAt > now, !person.isDead(lease.owner) else {
                continue
            }
            return "process \(lease.owner.pid) on \(lease.owner.host)"
        }
        return nil
    }

    /// Asks whoever carries the run out.
    ///
    /// - Throws: `refused` when it has ended.
    public func request(_ control: ControlRequest, of run: RunRecord) async throws {
        try await store.requestControl(run: run.id, control, by: person.name)
    }

    /// The run that puts back what this one did; nil while there is none.
    public func putBackRun(of run: RunRecord) async throws -> String? {
        try await undos(of: run.id).first?.id
    }

    /// Whether a data directory that the run kept beside is still there.
    public func keepsDataBeside(_ run: RunRecord) throws -> Bool {
        guard run.attributes[Self.discarded] == nil else { return false }
        return try plan(of: run).members.contains { $0.wayBack == .setAside }
    }

    /// What a run does, or did.
    public func plan(of run: RunRecord) throws -> Plan {
        try run.decodedPlan()
    }
}
