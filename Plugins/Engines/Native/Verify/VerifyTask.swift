import FleetPluginAPI

/// What a verification found, as its result event carries it.
struct VerifyReport: Hashable, Sendable, Codable {
    struct Finding: Hashable, Sendable, Codable {
        /// Key of the object, or label of the backup.
        var object: String
        var error: FleetError
    }

    /// How much of the content was read, in percent.
    var share = 100
    var backups = 0
    var packs = 0
    var chunks = 0
    /// Bytes of content that were hashed.
    var bytes: Int64 = 0
    /// Archived files of every kind.
    var archivedFiles = 0
    var findings: [Finding] = []

    mutating func add(_ object: String, _ error: FleetError) {
        findings.append(Finding(object: object, error: error))
    }
}

/// `fleet agent verify`: reads the asked share of what the asked backups consist of, and of the WAL, and names what is
/// damaged. What is not read must be there and have its size.
///
/// Exit status 0 means that nothing was found. Findings are in the result, which is followed by a failure and exit
/// status 1; without a result the verification itself could not be done.
struct VerifyTask: Sendable {
    let instance: InstanceRepository
    let request: VerifyRequest
    let meter: ProgressMeter

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(VerifyRequest.self, arguments)
            let instance = try await Repository.open(context.repository(request.repository), context.resolve)
                .instance(context.instance.name)
            let meter = ProgressMeter("verify", total: nil, emit: context.emit)
            let report = try await VerifyTask(instance: instance, request: request, meter: meter).verify()
            meter.finish()
            for finding in report.findings { context.log("\(finding.object): \(finding.error)") }
            context.emit(.result(try JSONValue(encoding: report)))
            guard let first = report.findings.first else { return 0 }
            throw FleetError(
                .corrupted,
                report.findings.count == 1
                    ? "1 object of \(instance.subject) is damaged"
                    : "\(report.findings.count) objects of \(instance.subject) are damaged",
                cause: "the first: \(first.error)",
                hint: "back up again now, then find out what is wrong with the storage")
        }
    }

    private var share: Int { request.share ?? 100 }

    func verify() async throws -> VerifyReport {
        while true {
            let labels = try await instance.labels(request.backups)
            let report = try await verify(labels)
            // What an expiry removed meanwhile is no damage; every round has fewer backups than the one before.
            guard !report.findings.isEmpty, try await !Set(labels).isSubset(of: instance.labels(request.backups)) else {
                return report
            }
        }
    }

    private func verify(_ labels: [String]) async throws -> VerifyReport {
        var report = VerifyReport(share: share)
        var packs = PackTable()
        var kept: [(BackupRecord, WALRange)] = []
        let objects = try await instance.backupObjects()
        for label in labels {
            switch try await Outcome({ try await instance.backup(label) }) {
            case .success(let backup):
                // Expired since it was listed.
                guard let (document, manifest) = backup else { continue }
                report.backups += 1
                let range = WALRange(document.record, segmentSize: manifest.header.segmentSize)
                var record = document.record
                record.isIsolated = objects[label]?.contains("isolated.json")
                kept.append((record, range))
                for finding in packs.add(manifest) { report.add(label, finding) }
            case .failure(let error): report.add(label, error)
            }
        }
        if request.backups.isEmpty { try await verifySmallObjects(&report) }
        try await verifyPacks(packs, &report)
        try await ArchiveVerification(instance: instance, meter: meter, share: share).verify(
            kept, everything: request.backups.isEmpty, &report)
        return report
    }

    private static let smallObjects = ["started.json", "expiring.json", "hold.json", "isolated.json", "damaged.json"]

    /// Claims, tombstones and holds: nothing is restored from them, but an expiry goes by them.
    private func verifySmallObjects(_ report: inout VerifyReport) async throws {
        for object in try await instance.storage.listAll(instance.keys.backups) {
            guard let name = instance.keys.backupObject(object.key)?.name,
                Self.smallObjects.contains(name)
            else { continue }
            let outcome = try await Outcome {
                guard let bytes = try await instance.storage.getIfPresent(object.key) else { return }
                _ = try SealedJSON.decode(JSONValue.self, bytes, object.key)
            }
            if case .failure(let error) = outcome { report.add(object.key, error) }
        }
    }

    private func verifyPacks(_ table: PackTable, _ report: inout VerifyReport) async throws {
        report.packs = table.packs.count
        let packs = table.packs.filter { _ in isDrawn(share) }
        try await findMissing(table.packs, &report)
        meter.begin("verify", total: packs.reduce(0) { $0 + $1.entry.size })
        var tasks = OrderedTasks<PackReport>(limit: Workers.count)
        do {
            for pack in packs {
                if tasks.isFull { report.add(try await tasks.take()) }
                tasks.add { [self] in try await verify(pack) }
            }
            while !tasks.isEmpty { report.add(try await tasks.take()) }
        } catch {
            await tasks.abandon()
            throw error
        }
    }

    /// Looks whether the packs that are not read are there: what is read finds that out by itself.
    private func findMissing(_ packs: [PackTable.Pack], _ report: inout VerifyReport) async throws {
        guard share < 100 else { return }
        let sizes = try await instance.packSizes()
        for entry in packs.map(\.entry) where sizes[entry.id] != entry.size {
            let cause = sizes[entry.id].map { "it has \($0) bytes instead of \(entry.size)" } ?? "it is missing"
            report.add(
                instance.keys.pack(entry.id),
                FleetError(.corrupted, "the pack \(entry.id) is damaged", cause: cause))
        }
    }

    private func verify(_ pack: PackTable.Pack) async throws -> PackReport {
        let key = instance.keys.pack(pack.entry.id)
        var report = PackReport(key: key)
        let outcome = try await Outcome { try await instance.storage.get(key, range: nil) }
        switch outcome {
        case .failure(let error):
            report.errors.append(
                error.code == .notFound ? FleetError(.corrupted, "the pack \(pack.entry.id) is missing") : error)
        case .success(let bytes): report.check(bytes, pack)
        }
        meter.add(pack.entry.size)
        return report
    }
}

/// Whether something is among the share of all, in percent.
func isDrawn(_ share: Int) -> Bool { share >= 100 || Int.random(in: 0..<100) < share }

/// What is known of one pack once it has been read.
struct PackReport: Sendable {
    var key: String
    var chunks = 0
    var bytes: Int64 = 0
    var errors: [FleetError] = []

    mutating func check(_ bytes: [UInt8], _ pack: PackTable.Pack) {
        do {
            let contents = try PackContents(bytes, id: pack.entry.id)
            guard contents.entry == pack.entry else {
                throw FleetError(
                    .corrupted, "the pack \(pack.entry.id) is not the one that the manifest names",
                    cause: "size or SHA-256 differ")
            }
            try check(contents)
            let found = Set(contents.chunks)
            for chunk in pack.chunks where !found.contains(chunk) {
                throw FleetError(
                    .corrupted,
                    "the pack \(pack.entry.id) has not the chunk that a manifest expects at byte \(chunk.offset)")
            }
        } catch {
            errors.append(FleetError(error, "\(key) cannot be verified"))
        }
    }

    private mutating func check(_ contents: PackContents) throws {
        try contents.bytes.withUnsafeBytes { bytes in
            for chunk in contents.chunks {
                let range = Int(chunk.range.lowerBound)..<Int(chunk.range.upperBound)
                _ = try ChunkReader.content(
                    of: UnsafeRawBufferPointer(rebasing: bytes[range]), chunk, contents.entry.id)
                chunks += 1
                self.bytes += Int64(chunk.rawLength)
            }
        }
    }
}

extension VerifyReport {
    mutating func add(_ pack: PackReport) {
        chunks += pack.chunks
        bytes += pack.bytes
        for error in pack.errors { add(pack.key, error) }
    }
}
