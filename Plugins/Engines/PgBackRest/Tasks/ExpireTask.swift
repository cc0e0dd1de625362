import DurableFiles
import FleetPluginAPI

/// What `fleet agent pgbackrest-expire` is asked for.
struct ExpireTaskRequest: Hashable, Sendable, Codable {
    var program: PgBackRest
    var repository: RepositoryKey
    var retention: Retention
    var isDryRun: Bool
}

struct ExpireReport: Hashable, Sendable, Codable {
    var isDryRun: Bool
    /// Labels, oldest first.
    var kept: [String]
    var removed: [String]
    /// What pgBackRest says of WAL that goes.
    var removedWAL: [String]
}

/// `fleet agent pgbackrest-expire`: pgBackRest removes what fleet's retention does not keep, and the WAL with it.
///
/// Refused where pgBackRest's configuration has a retention of its own: two that differ would take turns.
struct ExpireTask: Sendable {
    let request: ExpireTaskRequest
    let run: PgBackRestRun

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform(ExpireTaskRequest.self, arguments) { request in
            let task = ExpireTask(request: request, run: PgBackRestRun(request.program, context))
            context.emit(.result(try JSONText.value(try await task.expire("the expiry of \(context.instance.name)"))))
        }
    }

    private func expire(_ doing: String) async throws -> ExpireReport {
        try await refuseOwnRetention()
        let before = try await records(doing)
        let said = try await run.work("expire", options(keepFull: keepFull(before, at: .now)), doing)
        let labels = before.map(\.label)
        let after = request.isDryRun ? labels : try await records(doing).map(\.label)
        let announced = Set(said.messages.compactMap(Self.removed))
        let removed = labels.filter { request.isDryRun ? announced.contains($0) : !after.contains($0) }
        return ExpireReport(
            isDryRun: request.isDryRun, kept: labels.filter { !removed.contains($0) }, removed: removed,
            removedWAL: said.messages.compactMap(Self.removedWAL))
    }

    /// What pgBackRest is told: it counts, or it goes by days; both together, which fleet.yaml allows, is a count.
    func keepFull(_ records: [BackupRecord], at now: Timestamp) -> Int {
        let good = records.filter { $0.problem == nil }
        guard let oldest = request.retention.oldestFull(of: good, at: now) else { return request.retention.full ?? 1 }
        // pgBackRest counts those with a problem as well.
        return max(1, records.count { $0.kind == .full && $0.stopTime >= oldest.stopTime })
    }

    func options(keepFull: Int) -> [String] {
        let name = "--repo\(request.repository.key)-retention"
        var options = [
            "--repo=\(request.repository.key)", "\(name)-full-type=count", "\(name)-full=\(keepFull)",
            // WAL goes with the full backup that it belongs to.
            "\(name)-archive-type=full", "\(name)-archive=\(keepFull)",
        ]
        // 0 is no number of pgBackRest's: the newest is always kept.
        if let keepDiff = request.retention.diff { options.append("\(name)-diff=\(max(1, keepDiff))") }
        if request.isDryRun { options.append("--dry-run") }
        return options
    }

    private func records(_ doing: String) async throws -> [BackupRecord] {
        let stanza = try await run.info(doing).stanza(request.program.stanza)
        return (stanza?.records(in: request.repository) ?? []).sorted { $0.stopTime < $1.stopTime }
    }

    private func refuseOwnRetention() async throws {
        guard !request.program.hasNoFile else { return }
        let places = request.program.configuration.map { [$0] } ?? OwnConfiguration.defaultPlaces
        for place in places {
            guard let bytes = try await Disk().readIfPresent(place, limit: 1 << 20) else { continue }
            let found = OwnConfiguration.settings(bytes, stanza: request.program.stanza, command: "expire")
                .keys.filter { $0.hasPrefix("repo\(request.repository.key)-retention-") }.sorted()
            guard let first = found.first else { return }
            throw FleetError(
                .refused, "fleet and pgBackRest would both remove old backups of \(request.repository.name)",
                cause: "\(place) sets \(first)",
                hint: "take it out there, or set `retention: pgbackrest` of the engine")
        }
    }

    /// `remove expired backup 20261126-021555F`, after `repo1: ` and `[DRY-RUN] `.
    static func removed(_ message: String) -> String? {
        guard let range = message.firstRange(of: "remove expired backup ") else { return nil }
        return String(message[range.upperBound...])
    }

    /// `repo1: 15-1 remove archive, start = …, stop = …`
    static func removedWAL(_ message: String) -> String? {
        guard let range = message.firstRange(of: "remove archive, start = ") else { return nil }
        return String(message[range.upperBound...]).replacing(", stop = ", with: " to ")
    }
}
