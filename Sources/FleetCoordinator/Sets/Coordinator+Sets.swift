import FleetConfig
public import FleetPluginAPI
public import FleetStore

/// How a restore set stands.
public struct SetCheckResult: Sendable {
    public var kind: MarkRecord.Kind
    public var members: [Member]
    /// What a reader should know, in sentences.
    public var remarks: [String]

    public struct Member: Sendable {
        public var instance: String
        public var database: String
        public var facts: FenceFacts?
        public var clockAhead: MarkRecord.ClosedInterval?
        /// Why no mark can be made there.
        public var error: FleetError?
    }

    public var isReady: Bool { members.allSatisfy { $0.error == nil } }
}

extension Coordinator {
    /// Fenced where the set has a fence, else ordered.
    ///
    /// - Throws: `usage`.
    public func preferredMark(of set: String) throws -> MarkRecord.Kind {
        try RestoreSet(set, in: inventory).declared.fence == nil ? .ordered : .fenced
    }

    /// Looks at a set's members as they are; changes nothing.
    public func checkSet(_ name: String) async throws -> SetCheckResult {
        let set = try RestoreSet(name, in: inventory)
        let kind = try preferredMark(of: name)
        let members = await withTaskGroup(of: SetCheckResult.Member.self) { group in
            for member in set.members { group.addTask { await check(member, kind) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var remarks: [String] = []
        for member in members {
            if let writer = member.facts?.oldestWriter, writer > .seconds(1) {
                remarks.append(
                    "\(member.instance): a transaction has been writing for \(DurationText.text(writer)); a fence "
                        + "gives way until it has ended")
            }
            if let prepared = member.facts?.preparedTransactions, prepared > 0 {
                remarks.append("\(member.instance): \(prepared) prepared transactions are not finished")
            }
        }
        if kind == .fenced {
            let marks = try await store.marks(of: name, limit: 50).filter {
                $0.kind == .fenced && $0.state == .archived
            }
            let holds = marks.compactMap { $0.members.compactMap(\.held).max() }.sorted()
            if !holds.isEmpty {
                remarks.append(
                    "writers waited \(DurationText.text(holds[holds.count / 2])) at most at the median of the last "
                        + "\(holds.count) fenced marks, \(DurationText.text(holds[holds.count - 1])) at the worst")
            }
        }
        return SetCheckResult(
            kind: kind, members: members.sorted { $0.instance < $1.instance }, remarks: remarks.sorted())
    }

    private func check(_ member: RestoreSet.Member, _ kind: MarkRecord.Kind) async -> SetCheckResult.Member {
        var result = SetCheckResult.Member(
            instance: member.name, database: member.database, facts: nil, clockAhead: nil, error: nil)
        do {
            let team = try await FenceTeam.open([member], inventory, servers, now: clock)
            await team.close()
            result.facts = team.facts[member.name]
            result.clockAhead = team.clocks[member.name]
            if kind == .fenced { try MarkMaker.checkHold(of: member, result.facts) }
            let endpoint = try await inventory.platform(of: member.instance).endpoint(of: member.instance)
            let server = try await servers.observe(endpoint, deadline: .seconds(20))
            let shipping = WALShipping(instance: member.name, slot: try inventory.walSlot(of: member.instance))
            result.error = shipping.fault(server)
        } catch {
            result.error = FleetError(error, "it cannot be looked at")
        }
        return result
    }
}
