import FleetPluginAPI
import PostgresFormats

/// What a repair mended and what it could not.
struct RepairReport: Hashable, Sendable, Codable {
    var isDryRun: Bool
    /// Keys of objects that other repositories had whole.
    var mended: [String] = []
    /// Labels of backups of which nothing is lost.
    var whole: [String] = []
    var damaged: [DamagedBackup] = []
    /// Names of archived files that are damaged and were set aside, or are missing.
    var lostWAL: [String] = []
    /// What else is wrong.
    var findings: [VerifyReport.Finding] = []
}

/// What is lost of a backup.
struct DamagedBackup: Hashable, Sendable, Codable {
    var label: String
    var cause: String
    /// How many of its files are not whole; nil when that cannot be told.
    var files: Int?
    /// The first of them.
    var examples: [String] = []
}

/// `fleet agent repair`: reads everything, mends what is damaged or missing from the instance's other repositories, and
/// says which backups are whole and what the others have lost.
///
/// A backup that stays damaged is marked: it is neither restored nor built upon, and does not count as kept, until a
/// repair finds it whole again. Damaged WAL is set aside, so that what can be restored is no longer overstated.
struct RepairTask: Sendable {
    let instance: InstanceRepository
    /// Where whole copies may be.
    let others: [InstanceRepository]
    let request: RepairRequest
    let meter: ProgressMeter
    let log: @Sendable (String) -> Void

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(RepairRequest.self, arguments)
            let name = context.instance.name
            let instance = try await Repository.open(context.repository(request.repository), context.resolve)
                .instance(name)
            var others: [InstanceRepository] = []
            for repository in context.repositories where repository.name != request.repository {
                do {
                    others.append(try await Repository.open(repository, context.resolve).instance(name))
                } catch {
                    context.log("nothing is taken from \(repository.name): \(error)")
                }
            }
            let meter = ProgressMeter("verify", total: nil, emit: context.emit)
            let task = RepairTask(instance: instance, others: others, request: request, meter: meter, log: context.log)
            let report = try await task.repair()
            meter.finish()
            context.emit(.result(try JSONValue(encoding: report)))
            guard !report.damaged.isEmpty || !report.lostWAL.isEmpty || !report.findings.isEmpty else { return 0 }
            throw FleetError(
                .corrupted, "not everything in \(instance.subject) could be mended",
                cause: report.damaged.first.map { "\($0.label): \($0.cause)" } ?? report.findings.first.map {
                    "\($0.error)"
                } ?? "WAL is lost: \(report.lostWAL[0])",
                hint: report.whole.isEmpty
                    ? "make a full backup now: fleet backup \(name) --type full"
                    : "whole are: \(report.whole.joined(separator: ", ")); make a full backup now: "
                        + "fleet backup \(name) --type full")
        }
    }

    func repair() async throws -> RepairReport {
        var report = RepairReport(isDryRun: request.isDryRun)
        let found = try await verify(share: 100)
        let mending = ObjectMending(instance: instance, others: others, isDryRun: request.isDryRun)
        // One hole can be missed for several reasons.
        for object in Set(found.findings.map(\.object)).sorted() where try await mending.mend(object) {
            report.mended.append(object)
            log("\(object): " + (request.isDryRun ? "can be mended" : "mended"))
        }
        report.mended = try await Set(report.mended).union(mending.fillArchive()).sorted()
        var remaining = found.findings.filter { !report.mended.contains($0.object) }
        if !request.isDryRun, !report.mended.isEmpty {
            // What was mended may have hidden what else is missing.
            let known = Set(remaining.map(\.object) + report.mended)
            let now = try await verify(share: 0).findings
            remaining = try await present(remaining, missing: Set(now.map(\.object)))
            remaining += now.filter { !known.contains($0.object) }
        }
        try await judge(remaining, &report)
        return report
    }

    private func verify(share: Int) async throws -> VerifyReport {
        try await VerifyTask(
            instance: instance,
            request: VerifyRequest(
                key: request.key, backups: [], repository: request.repository, share: share), meter: meter
        ).verify()
    }

    /// Without holes in the archive that have been filled.
    ///
    /// - Parameter missing: objects that are not as they should be now, without a look at their content.
    private func present(
        _ findings: [VerifyReport.Finding], missing: Set<String>
    ) async throws -> [VerifyReport.Finding] {
        var present: [VerifyReport.Finding] = []
        for finding in findings {
            let isObject = instance.keys.archived(finding.object) != nil
            let isThere = try await instance.storage.exists(finding.object)
            if missing.contains(finding.object) || !isObject || isThere { present.append(finding) }
        }
        return present
    }

    /// Sorts what stays damaged by what it costs.
    private func judge(_ findings: [VerifyReport.Finding], _ report: inout RepairReport) async throws {
        var broken: Set<String> = []
        var unreadable: [String: FleetError] = [:]
        for finding in findings {
            if let id = instance.keys.packID(finding.object) {
                broken.insert(id)
            } else if let (file, system) = instance.keys.archived(finding.object) {
                report.lostWAL.append(file.text)
                try await setAside(file, system)
            } else if !finding.object.contains("/") {
                unreadable[finding.object] = finding.error
            } else {
                report.findings.append(finding)
            }
        }
        report.lostWAL.sort()
        let lost = try await LostChunks(instance: instance, packs: broken)
        for label in try await instance.publishedLabels() {
            let damage: DamagedBackup?
            if let error = unreadable[label] {
                damage = DamagedBackup(label: label, cause: "\(error)")
            } else if report.isDryRun, report.mended.contains(label) {
                // It would be read from what another repository has.
                damage = nil
            } else {
                damage = try await self.damage(of: label, lost, Set(report.lostWAL))
            }
            if let damage {
                report.damaged.append(damage)
            } else {
                report.whole.append(label)
            }
            try await mark(label, damage)
        }
    }

    private func damage(of label: String, _ lost: LostChunks, _ lostWAL: Set<String>) async throws -> DamagedBackup? {
        guard let (document, manifest) = try await instance.backup(label) else { return nil }
        let files = lost.files(of: manifest)
        let range = WALRange(document.record, segmentSize: manifest.header.segmentSize)
        let missing = range.files.first { lostWAL.contains($0.text) }
        guard !files.isEmpty || missing != nil else { return nil }
        return DamagedBackup(
            label: label,
            cause: files.isEmpty
                ? "the WAL segment \(missing?.text ?? "") that makes it consistent is lost"
                : "\(files.count) of its \(manifest.files.count) files are not whole, such as \(files[0])",
            files: files.count, examples: Array(files.prefix(20)))
    }

    private func mark(_ label: String, _ damage: DamagedBackup?) async throws {
        guard !request.isDryRun else { return }
        let key = instance.keys.damage(label)
        if let damage {
            try await instance.storage.put(
                key, SealedJSON.encode(DamageDocument(foundAt: .now, damage: damage)), condition: .any)
        } else if try await instance.storage.exists(key) {
            try await instance.storage.delete(key)
            log("\(label) is whole again")
        }
    }

    /// Out of the archive: a segment that cannot be read is a hole, and is to be seen as one.
    private func setAside(_ file: WALFileName, _ system: SystemIdentifier) async throws {
        let key = instance.keys.wal(file, system)
        guard !request.isDryRun, try await instance.storage.exists(key) else { return }
        try await instance.repository.moveAside(key, to: instance.keys.aside(key))
        log("\(file.text) was set aside as \(instance.keys.aside(key))")
    }
}

/// `damaged.json`: that something of a published backup is lost.
struct DamageDocument: Hashable, Sendable, Codable {
    var format = RepositoryFormat.version
    var foundAt: Timestamp
    var damage: DamagedBackup
}

/// Which chunks of damaged or missing packs cannot be read any more.
struct LostChunks: Sendable {
    /// Offsets of what is still good; nil for a pack that is missing or cannot be decrypted.
    private var good: [String: Set<ChunkReference>?] = [:]
    private let packs: Set<String>

    init(instance: InstanceRepository, packs: Set<String>) async throws {
        self.packs = packs
        guard !packs.isEmpty else { return }
        var expected = PackTable()
        for label in try await instance.publishedLabels() {
            let outcome = try await Outcome { try await instance.backup(label) }
            if case .success(.some(let backup)) = outcome { _ = expected.add(backup.manifest) }
        }
        for pack in expected.packs where packs.contains(pack.entry.id) {
            let key = instance.keys.pack(pack.entry.id)
            let outcome = try await Outcome { try await instance.storage.getIfPresent(key) }
            guard case .success(.some(let bytes)) = outcome else {
                good[pack.entry.id] = .some(nil)
                continue
            }
            good[pack.entry.id] = try await Workers.run { Self.readable(pack.chunks, in: bytes, pack.entry.id) }
        }
    }

    private static func readable(_ chunks: Set<ChunkReference>, in bytes: [UInt8], _ id: String) -> Set<ChunkReference>
    {
        bytes.withUnsafeBytes { bytes in
            chunks.filter { chunk in
                let range = Int(chunk.range.lowerBound)..<Int(chunk.range.upperBound)
                guard range.upperBound <= bytes.count else { return false }
                return (try? ChunkReader.content(of: UnsafeRawBufferPointer(rebasing: bytes[range]), chunk, id)) != nil
            }
        }
    }

    /// Paths of files that have a lost chunk, sorted.
    func files(of manifest: Manifest) -> [String] {
        let isBroken = manifest.packs.map { packs.contains($0.id) }
        guard isBroken.contains(true) else { return [] }
        return manifest.files.filter { file in
            manifest.chunks[file.chunks].contains { chunk in
                guard isBroken[Int(chunk.pack)] else { return false }
                var bare = chunk
                bare.pack = 0
                return good[manifest.packs[Int(chunk.pack)].id]??.contains(bare) != true
            }
        }.map(\.path).sorted()
    }
}
