import FleetConfig
import FleetPluginAPI
import FleetStore

/// Makes one mark on the members of a set: the restore points, and who was held for how long.
///
/// Why a fenced mark is consistent: let t be the moment at which the last lock was granted. Each member's writers were
/// held by one transaction from before t until that member's restore point was in its WAL, for a session that had ended
/// meanwhile could not have made it. So each member's marked state of what is held is its state at t, and nothing is
/// there without what it followed from.
struct MarkMaker: Sendable {
    let set: RestoreSet
    let team: FenceTeam
    /// Since the mark's beginning.
    let elapsed: @Sendable () -> Duration
    let log: @Sendable (String) -> Void

    private static let idleLimit = Duration.seconds(5)

    func make(_ mark: MarkRecord) async throws -> MarkRecord {
        switch mark.kind {
        case .loose: try await makeLoose(mark)
        case .ordered: try await makeOrdered(mark)
        case .fenced: try await makeFenced(mark)
        }
    }

    private func record(_ name: String) throws -> MarkRecord.Member {
        guard let member = set.member(name), let facts = team.facts[name] else {
            throw FleetError(.failed, "there is no session to \(name)")
        }
        var record = MarkRecord.Member(instance: name, database: member.database, facts: facts)
        record.clockAhead = team.clocks[name]
        return record
    }

    private func session(_ name: String) throws -> any FenceSession {
        guard let session = team.sessions[name] else { throw FleetError(.failed, "there is no session to \(name)") }
        return session
    }

    // MARK: Loose and ordered

    /// A restore point outside any transaction of ours.
    private func point(_ name: String, _ mark: String) async throws -> MarkRecord.Member {
        var record = try record(name)
        record.sent = elapsed()
        record.lsn = try await session(name).point(mark)
        record.acknowledged = elapsed()
        return record
    }

    private func makeLoose(_ mark: MarkRecord) async throws -> MarkRecord {
        var mark = mark
        let name = mark.name
        mark.members = try await withThrowingTaskGroup(of: MarkRecord.Member.self) { group in
            for member in set.members { group.addTask { try await point(member.name, name) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return mark
    }

    private func makeOrdered(_ mark: MarkRecord) async throws -> MarkRecord {
        var mark = mark
        for name in try set.effectsFirst() { mark.members.append(try await point(name, mark.name)) }
        return mark
    }

    // MARK: Fenced

    private func makeFenced(_ mark: MarkRecord) async throws -> MarkRecord {
        guard let fence = set.declared.fence else {
            throw FleetError(
                .refused, "the restore set \(set.name) has no fence",
                hint: "declare fence: {tables: …} for it, or make an --ordered or a --loose mark")
        }
        var holds: [String: FenceHold] = [:]
        for member in set.members {
            holds[member.name] = try Self.checkHold(of: member, team.facts[member.name])
        }
        var order = set.members.map(\.name)
        var retries = 0
        while true {
            switch try await attempt(mark, order, holds, fence.patience) {
            case .made(var mark):
                mark.retries = retries
                return mark
            case .blocked(let name, let error):
                retries += 1
                guard elapsed() < fence.deadline else {
                    throw FleetError(
                        .conflict,
                        "the fence of the restore set \(set.name) did not come to stand within "
                            + DurationText.text(fence.deadline),
                        cause: "\(name): \(error.cause ?? error.message), after \(retries) attempts",
                        hint: "look for long transactions that write: fleet set check --set \(set.name)")
                }
                // Whoever was waited for is asked first the next time: then nobody is held while it is waited for.
                order = [name] + order.filter { $0 != name }
                log("\(name) is still written to; the fence gives way and tries again")
                try await Task.sleep(for: .milliseconds(Int64.random(in: 20...(80 * Int64(min(retries, 5))))))
            }
        }
    }

    /// What is held of a member.
    ///
    /// - Throws: `refused` where nothing is declared, `denied` where the role may not hold it.
    @discardableResult
    static func checkHold(of member: RestoreSet.Member, _ facts: FenceFacts?) throws -> FenceHold {
        guard let hold = member.hold else {
            throw FleetError(
                .refused, "the fence holds nothing of \(member.name)",
                hint: "name the tables of \(member.name) that applications write to, under fence: {tables: …}")
        }
        if let denied = facts?.deniedTables, !denied.isEmpty {
            throw FleetError(
                .denied, "the role may not lock \(denied.joined(separator: ", ")) of \(member.name)",
                hint: "grant it MAINTAIN on them (17 and later), or UPDATE, DELETE or TRUNCATE")
        }
        return hold
    }

    private enum Attempt {
        case made(MarkRecord)
        /// A writer would have had to be waited for.
        case blocked(String, FleetError)
    }

    private func attempt(
        _ mark: MarkRecord, _ order: [String], _ holds: [String: FenceHold], _ patience: Duration
    ) async throws -> Attempt {
        var mark = mark
        mark.members = []
        var held: [MarkRecord.Member] = []
        var begun: [String: Duration] = [:]
        for (index, name) in order.enumerated() {
            guard let hold = holds[name] else { continue }
            var record = try record(name)
            begun[name] = elapsed()
            do {
                if index < order.count - 1 {
                    record.heldAt = try await session(name).hold(
                        hold, patience: patience, idleLimit: Self.idleLimit)
                    held.append(record)
                } else {
                    record.sent = elapsed()
                    record.lsn = try await session(name).holdAndMark(hold, mark.name, patience: patience)
                    record.acknowledged = elapsed()
                    record.held = record.acknowledged - record.sent
                    mark.members.append(record)
                }
            } catch {
                let error = FleetError(error, "the fence failed")
                await release(held.map(\.instance) + [name])
                guard error.code == .conflict else { throw error.during("hold the writers of \(name)") }
                return .blocked(name, error)
            }
        }
        let point = mark.name
        mark.members += try await withThrowingTaskGroup(of: MarkRecord.Member.self) { group in
            for record in held {
                let start = begun[record.instance] ?? .zero
                group.addTask {
                    var record = record
                    record.sent = elapsed()
                    record.lsn = try await session(record.instance).mark(point)
                    record.acknowledged = elapsed()
                    record.held = record.acknowledged - start
                    return record
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return .made(mark)
    }

    private func release(_ names: [String]) async {
        await withTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask { try? await session(name).release() }
            }
        }
    }
}
