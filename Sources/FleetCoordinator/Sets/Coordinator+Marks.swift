import FleetConfig
import FleetPluginAPI
public import FleetStore

extension Coordinator {
    /// Makes a mark and waits until it is in every member's archive.
    ///
    /// - Throws: why there is no mark. One that was made and is not archived in time is returned as what it is.
    public func createMark(
        set name: String, kind: MarkRecord.Kind, log: @escaping @Sendable (String) -> Void
    ) async throws -> MarkRecord {
        let set = try RestoreSet(name, in: inventory)
        var mark = try await store.beginMark(set: name, kind: kind, by: person.name, at: now)
        do {
            let team = try await FenceTeam.open(set.members, inventory, servers, now: clock)
            do {
                let began = ContinuousClock.now
                mark = try await MarkMaker(
                    set: set, team: team, elapsed: { ContinuousClock.now - began }, log: log
                ).make(mark)
                await team.close()
            } catch {
                // What is still held is let go with its session.
                await team.close()
                throw error
            }
        } catch {
            mark.state = .failed
            mark.error = FleetError(error, "the mark failed")
            try await store.saveMark(mark)
            try await auditMark(mark)
            throw error
        }
        mark.state = .created
        mark.members.sort { $0.instance < $1.instance }
        try await store.saveMark(mark)
        try await auditMark(mark)
        do {
            mark = try await MarkArchiving(inventory: inventory, servers: servers, log: log).archive(mark)
        } catch {
            mark.error = FleetError(error, "the mark is not archived")
        }
        try await store.saveMark(mark)
        return mark
    }

    /// Nobody makes a mark for longer.
    private static let longestMark = Duration.seconds(600)

    private func auditMark(_ mark: MarkRecord) async throws {
        try await store.audit(
            actor: person.name, action: "mark.\(mark.state.rawValue)", subject: mark.name,
            details: ["set": .string(mark.set), "kind": .string(mark.kind.rawValue)])
    }

    /// Marks, newest first. Of those that were not seen in every archive the archives are asked once more.
    public func marks(of set: String?, limit: Int) async throws -> [MarkRecord] {
        if let set { _ = try RestoreSet(set, in: inventory) }
        var marks = try await store.marks(of: set, limit: limit)
        for index in marks.indices
        where marks[index].state == .pending && now - marks[index].createdAt > Self.longestMark {
            marks[index].state = .failed
            marks[index].error = FleetError(
                .cancelled, "whoever made it did not come to an end", hint: "make another one")
            try await store.saveMark(marks[index])
        }
        let archiving = MarkArchiving(inventory: inventory, servers: servers, log: { _ in })
        for index in marks.indices where marks[index].state == .created {
            guard let seen = try? await archiving.look(for: marks[index]), seen != marks[index] else { continue }
            try await store.saveMark(seen)
            marks[index] = seen
        }
        return marks
    }
}

/// Brings a mark into the archives and reads it back there.
///
/// A restore point that was acknowledged is not durable: a crash may take it back and write something else in its place.
/// What counts is that the archived WAL has it, where it was said to be.
struct MarkArchiving: Sendable {
    let inventory: Inventory
    let servers: any DatabaseServers
    let log: @Sendable (String) -> Void

    private static let patience = Duration.seconds(120)

    func archive(_ mark: MarkRecord) async throws -> MarkRecord {
        log("waiting until \(mark.name) is archived")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in mark.members {
                group.addTask {
                    let instance = try inventory.instance(member.instance)
                    let endpoint = try await inventory.platform(of: instance).endpoint(of: instance)
                    let end = try await servers.switchWAL(endpoint, deadline: .seconds(30))
                    try await ArchiveWait(inventory: inventory, servers: servers).wait(
                        for: end, of: instance, at: endpoint, deadline: Self.patience)
                }
            }
            try await group.waitForAll()
        }
        return try await look(for: mark)
    }

    /// The mark with what the archives say of it.
    func look(for mark: MarkRecord) async throws -> MarkRecord {
        var mark = mark
        for index in mark.members.indices where !mark.members[index].isArchived {
            mark.members[index].isArchived = try await isArchived(mark.members[index], mark.name)
        }
        if let missing = mark.members.first(where: { !$0.isArchived }) {
            mark.error = FleetError(
                .notFound, "\(mark.name) is not in the archive of \(missing.instance)",
                cause: "it was made at \(missing.lsn?.description ?? "an unknown position")",
                hint: "does it archive? fleet status")
        } else if !mark.members.isEmpty {
            mark.state = .archived
            mark.error = nil
        }
        return mark
    }

    private func isArchived(_ member: MarkRecord.Member, _ name: String) async throws -> Bool {
        guard let lsn = member.lsn else { return false }
        let instance = try inventory.instance(member.instance)
        let map = ArchiveMap(try await inventory.catalog(of: instance))
        let reader = EngineWALReader(
            engine: try inventory.engine(of: instance.name), context: try inventory.readingContext(of: instance),
            tail: [:])
        let number = (lsn.rawValue - 1) / map.segmentSize
        guard let segment = map.segment(number, on: member.timeline) else { return false }
        func has(_ summary: WALSegmentSummary) -> Bool {
            summary.restorePoints.contains { $0.name == name && $0.end == lsn }
        }
        if has(try await reader.summary(of: segment.name, next: nil)) { return true }
        // The record may have begun in the segment before.
        guard number > 0, let before = map.segment(number - 1, on: member.timeline) else { return false }
        return has(try await reader.summary(of: before.name, next: segment.name))
    }
}
