import DurableFiles
import FleetPluginAPI

/// What `fleet agent pgbackrest-expire` is asked for.
struct ExpireTaskRequest: Hashable, Sendable, Codable {
    var program: PgBackRest
    var repository: RepositoryKey
    var keepFull: Int
    var keepDiff: Int?
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
        let before = try await labels(doing)
        let said = try await run.work("expire", options, doing)
        let after = request.isDryRun ? before : try await labels(doing)
        let announced = Set(said.messages.compactMap(Self.removed))
        let removed = before.filter { request.isDryRun ? announced.contains($0) : !after.contains($0) }
        return ExpireReport(
            isDryRun: request.isDryRun, kept: before.filter { !removed.contains($0) }, removed: removed,
            removedWAL: said.messages.compactMap(Self.removedWAL))
    }

    var options: [String] {
        let name = "--repo\(request.repository.key)-retention"
        var options = [
            "--repo=\(request.repository.key)", "\(name)-full-type=count", "\(name)-full=\(request.keepFull)",
            // WAL goes with the full backup that it belongs to.
            "\(name)-archive-type=full", "\(name)-archive=\(request.keepFull)",
        ]
        // 0 is no number of pgBackRest's: the newest is always kept.
        if let keepDiff = request.keepDiff { options.append("\(name)-diff=\(max(1, keepDiff))") }
        if request.isDryRun { options.append("--dry-run") }
        return options
    }

    private func labels(_ doing: String) async throws -> [String] {
        let stanza = try await run.info(doing).stanza(request.program.stanza)
        return (stanza?.records(in: request.repository) ?? []).sorted { $0.stopTime < $1.stopTime }.map(\.label)
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
