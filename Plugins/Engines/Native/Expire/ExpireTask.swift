import FleetPluginAPI

/// What an expiry removed, or would remove.
struct ExpireReport: Hashable, Sendable, Codable {
    var isDryRun: Bool
    /// Labels, oldest first.
    var kept: [String] = []
    /// Kept by nothing but a hold: with the WAL that makes them consistent, and none after it.
    var held: [String] = []
    var removed: [String] = []
    /// Labels of backups that were never finished.
    var orphans: [String] = []
    var removedPacks = 0
    /// Names of archived files, sorted.
    var removedWAL: [String] = []
    /// Bytes that were freed.
    var freed: Int64 = 0
    /// What was not done, and why, in sentences.
    var remarks: [String] = []
}

/// `fleet agent expire`: removes the backups that retention no longer asks for, the WAL that nothing kept needs, and
/// what crashed backups left.
///
/// Safe beside backups and other expiries: a backup is unpublished before its data goes, what a running backup builds
/// upon is left, and what is younger than a day and belongs to nothing may belong to one.
struct ExpireTask: Sendable {
    let instance: InstanceRepository
    let request: ExpireRequest
    let now: Timestamp
    let log: @Sendable (String) -> Void

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(ExpireRequest.self, arguments)
            try request.checkRetention()
            let instance = try await Repository.open(context.repository(request.repository), context.resolve)
                .instance(context.instance.name)
            let task = ExpireTask(instance: instance, request: request, now: .now, log: context.log)
            context.emit(.result(try JSONValue(encoding: await task.expire())))
            return 0
        }
    }

    func expire() async throws -> ExpireReport {
        var report = ExpireReport(isDryRun: request.isDryRun)
        var state = try await RepositoryState.read(instance, now: now)
        let choice = ExpiryChoice(state, request.retention, at: now)
        report.remarks = state.remarks + choice.remarks
        report.kept = choice.kept.map(\.label)
        report.held = choice.held.map(\.label)
        for record in choice.expired {
            guard try await unpublish(record.label, &state) else {
                report.kept.append(record.label)
                report.remarks.append("\(record.label) stays: a running backup builds upon it, or it is held since now")
                continue
            }
            report.removed.append(record.label)
            report.freed += state.documentSizes[record.label] ?? 0
            state.forget(record.label)
        }
        report.kept.sort()
        for label in state.staleTombstones where report.kept.contains(label) && !request.isDryRun {
            try await instance.storage.delete(instance.keys.tombstone(label))
        }
        report.orphans = state.orphans
        try await removePacks(state, &report)
        for label in report.removed + report.orphans { try await removeRest(of: label, &report) }
        if !choice.kept.isEmpty {
            let held = Set(report.held)
            try await WALExpiry(instance: instance, state: state, now: now, isDryRun: request.isDryRun).run(
                keeping: state.published.map(\.record).filter { !held.contains($0.label) }, held: choice.held, &report)
        }
        return report
    }

    /// Takes a backup out of the list, unless a running one builds upon it or it is held meanwhile.
    ///
    /// The tombstone goes first and claims and holds are read after it; whoever claims or holds writes first and looks
    /// for tombstones after that. So at least one of the two sees the other.
    private func unpublish(_ label: String, _ state: inout RepositoryState) async throws -> Bool {
        if request.isDryRun { return !state.claims.values.contains { $0.parents.contains(label) } }
        let keys = instance.keys
        try await instance.storage.put(keys.tombstone(label), SealedJSON.encode(["expiredAt": now]), condition: .any)
        let claims = try await RepositoryState.liveClaims(instance, now: now)
        guard try await !instance.isHeld(label, at: now).isHeld,
            !claims.values.contains(where: { $0.parents.contains(label) })
        else {
            try await instance.storage.delete(keys.tombstone(label))
            return false
        }
        try await instance.storage.delete(keys.document(label))
        return true
    }

    private func removePacks(_ state: RepositoryState, _ report: inout ExpireReport) async throws {
        guard let referenced = state.referencedPacks else {
            report.remarks.append("no packs were removed: a manifest cannot be read, so nobody knows what it needs")
            return
        }
        let gone = Set(report.removed + report.orphans)
        for object in try await instance.storage.listAll(instance.keys.packs) {
            guard let id = instance.keys.packID(object.key), !referenced.contains(id) else { continue }
            let label = PackEntry.label(ofID: id)
            // Of a backup that is being written, or was a moment ago.
            guard gone.contains(label) || state.isAbandoned(label, object.modified) else { continue }
            try await remove(object, &report)
            report.removedPacks += 1
        }
    }

    /// Manifest, claim and tombstone; the tombstone last, so that a crash in between is noticed.
    private func removeRest(of label: String, _ report: inout ExpireReport) async throws {
        let objects = try await instance.storage.listAll(instance.keys.backup(label))
        let tombstone = instance.keys.tombstone(label)
        let document = instance.keys.document(label)
        for object in objects where object.key != tombstone && object.key != document {
            try await remove(object, &report)
        }
        if !request.isDryRun { try await instance.storage.delete(tombstone) }
    }

    private func remove(_ object: StoredObject, _ report: inout ExpireReport) async throws {
        report.freed += object.size
        if !request.isDryRun { try await instance.storage.delete(object.key) }
    }
}

/// Which backups stay.
struct ExpiryChoice {
    private(set) var kept: [BackupRecord] = []
    /// What retention would not keep, but somebody does.
    private(set) var held: [BackupRecord] = []
    private(set) var expired: [BackupRecord] = []
    private(set) var remarks: [String] = []

    /// Everything stays from `Retention.oldestFull` on, but of the differential backups only the newest `diff`, with the
    /// incremental ones that build upon them; and what is held. Damaged ones do not count. Without a good full one
    /// nothing is removed.
    init(_ state: RepositoryState, _ retention: Retention, at now: Timestamp) {
        let records = state.published.map(\.record)
        let good = state.published.filter(\.isGood).map(\.record)
        guard let oldest = retention.oldestFull(of: good, at: now) else {
            kept = records
            if !records.isEmpty { remarks.append("nothing was removed: no full backup is known to be good") }
            return
        }
        var gone = Set(
            records.filter { ($0.stopTime, $0.label) < (oldest.stopTime, oldest.label) }.map(\.label))
        if let keepDiff = retention.diff {
            let newest = good.filter { $0.kind == .diff }.suffix(keepDiff)
            gone.formUnion(Self.outdated(records.filter { !gone.contains($0.label) }, newest, keepDiff: keepDiff))
        }
        // A backup that a kept one cannot be restored without stays, and what that one needs.
        while true {
            let needed = Set(records.filter { !gone.contains($0.label) }.flatMap(\.references))
            guard !gone.isDisjoint(with: needed) else { break }
            gone.subtract(needed)
        }
        kept = records.filter { !gone.contains($0.label) }
        let holds = Set(state.published.filter(\.isHeld).map(\.record.label))
        held = records.filter { gone.contains($0.label) && holds.contains($0.label) }
        expired = records.filter { gone.contains($0.label) && !holds.contains($0.label) }
    }

    /// Differential backups older than the newest good ones, and the incremental ones that build upon them. While there
    /// is no good one, none is.
    private static func outdated(
        _ records: [BackupRecord], _ newest: ArraySlice<BackupRecord>, keepDiff: Int
    ) -> Set<String> {
        let stay = Set(newest.map(\.label))
        let isOld = { (record: BackupRecord) in newest.first.map { record.stopTime < $0.stopTime } ?? (keepDiff == 0) }
        let diffs = Set(
            records.filter { $0.kind == .diff && !stay.contains($0.label) && isOld($0) }.map(\.label))
        let incrementals = records.filter { $0.kind == .incr && !diffs.isDisjoint(with: $0.references) }
        return diffs.union(incrementals.map(\.label))
    }
}
