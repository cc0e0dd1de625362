import FleetPluginAPI
import PostgresFormats

/// What a copy brought over.
struct CopyReport: Hashable, Sendable, Codable {
    /// Labels.
    var copied: [String] = []
    /// Labels of those that were there already.
    var present: [String] = []
    var packs = 0
    /// Archived files of every kind.
    var archivedFiles = 0
    /// Bytes that were read and written, as they lie in packs and archived files.
    var bytes: Int64 = 0
    /// What is damaged in the source and was not copied.
    var findings: [VerifyReport.Finding] = []
}

/// `fleet agent copy`: brings backups and the WAL after them from one repository of an instance to another.
///
/// What is there already is not read again, so that a copy that was interrupted goes on. Everything is checked on its
/// way; a backup is published in the destination when all of it and its own WAL are there. In the source, backups are
/// kept from expiry meanwhile.
struct CopyTask: Sendable {
    let source: InstanceRepository
    let destination: InstanceRepository
    let request: CopyRequest
    let meter: ProgressMeter
    let log: @Sendable (String) -> Void

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        await context.perform { context in
            let request = try context.request(CopyRequest.self, arguments)
            let name = context.instance.name
            let source = try await Repository.open(context.repository(request.source), context.resolve).instance(name)
            let destination = try await Repository.openOrCreate(
                context.repository(request.destination), context.resolve
            ).instance(name)
            let meter = ProgressMeter("copy", total: nil, emit: context.emit)
            let task = CopyTask(
                source: source, destination: destination, request: request, meter: meter, log: context.log)
            let report = try await task.copy()
            meter.finish()
            for finding in report.findings { context.log("\(finding.object): \(finding.error)") }
            context.emit(.result(try JSONValue(encoding: report)))
            guard let first = report.findings.first else { return 0 }
            throw FleetError(
                .corrupted, "not everything could be copied from \(request.source)", cause: "\(first.error)",
                hint: "what is whole has been copied; see: fleet backups verify \(name)")
        }
    }

    /// Packs in memory at a time.
    private static let parallel = 3

    func copy() async throws -> CopyReport {
        guard let record = try await source.record() else {
            throw FleetError(.notFound, "there is nothing of \(source.subject)")
        }
        try await admit(record)
        var report = CopyReport()
        let labels = try await source.labels(request.backups)
        guard !labels.isEmpty else { return report }
        let claim = ClaimKeeper(instance: source, kind: .full, key: request.key, at: .now, parents: labels)
        try await claim.take()
        do {
            try await copy(labels, record, claim, &report)
            try await claim.drop()
        } catch {
            try? await claim.drop()
            throw error
        }
        return report
    }

    private func copy(
        _ labels: [String], _ record: InstanceRecord, _ claim: ClaimKeeper, _ report: inout CopyReport
    ) async throws {
        let backups = try await documents(labels, &report)
        var firsts: [SystemIdentifier: LSN] = [:]
        for document in backups {
            let start = document.record.startLSN
            firsts[document.record.systemIdentifier] = min(firsts[document.record.systemIdentifier] ?? start, start)
            try await copy(document, claim, &report)
        }
        for system in record.systems.map(\.identifier) {
            guard let first = firsts[system] else { continue }
            try await copyWAL(of: system, claim, &report) { file, segmentSize in
                guard let segment = file.segment(ofSize: segmentSize) else { return file.kind == .history }
                return segment.end > first
            }
        }
    }

    /// The destination belongs to the same servers, or to nobody.
    private func admit(_ record: InstanceRecord) async throws {
        guard let own = try await destination.record() else {
            do {
                return try await destination.storage.put(
                    destination.keys.record, SealedJSON.encode(record), condition: .absent)
            } catch let error as FleetError where error.code == .alreadyExists {
                return try await admit(record)
            }
        }
        if Set(record.systems.map(\.identifier)).isSubset(of: own.systems.map(\.identifier)) { return }
        guard Set(own.systems.map(\.identifier)).isSubset(of: record.systems.map(\.identifier)) else {
            throw FleetError(
                .refused, "\(destination.subject) belongs to another server than \(source.subject)",
                cause: "it has \(own.systems.map(\.identifier.description).joined(separator: ", "))")
        }
        try await destination.storage.put(destination.keys.record, SealedJSON.encode(record), condition: .any)
    }

    /// What is still there once the claim names it, oldest first.
    private func documents(_ labels: [String], _ report: inout CopyReport) async throws -> [BackupDocument] {
        let names = try await source.backupObjects()
        var documents: [BackupDocument] = []
        for label in labels {
            guard names[label]?.contains("backup.json") == true, names[label]?.contains("expiring.json") != true else {
                guard request.backups.isEmpty else {
                    throw FleetError(.conflict, "the backup \(label) is being removed at this moment")
                }
                continue
            }
            switch try await Outcome({ try await source.document(label) }) {
            case .success(let document): if let document { documents.append(document) }
            case .failure(let error): report.findings.append(.init(object: label, error: error))
            }
        }
        return documents.sorted { ($0.record.stopTime, $0.record.label) < ($1.record.stopTime, $1.record.label) }
    }

    private func copy(_ document: BackupDocument, _ claim: ClaimKeeper, _ report: inout CopyReport) async throws {
        let label = document.record.label
        if let present = try await destination.document(label) {
            guard present.manifest == document.manifest else {
                throw FleetError(.conflict, "\(destination.subject) has another backup \(label)")
            }
            return report.present.append(label)
        }
        let outcome = try await Outcome { () async throws -> CopyReport in
            var part = CopyReport()
            let manifest = try await source.manifest(document)
            let own = ClaimKeeper(
                instance: destination, label: label, kind: document.record.kind, key: document.key, at: .now,
                parents: Set(manifest.packs.map(\.label)).subtracting([label]).sorted())
            try await own.takeOver()
            try await copyPacks(manifest.packs, [claim, own], &part)
            let range = WALRange(document.record, segmentSize: manifest.header.segmentSize)
            let needed = Set(range.files)
            try await copyWAL(of: document.record.systemIdentifier, claim, &part) { file, _ in needed.contains(file) }
            try await requireWAL(range, document)
            try await publish(document, manifest, own)
            return part
        }
        switch outcome {
        case .success(let part):
            report.copied.append(label)
            report.add(part)
            log("copied \(label)")
        case .failure(let error): report.findings.append(.init(object: label, error: error))
        }
    }

    private func copyPacks(_ packs: [PackEntry], _ claims: [ClaimKeeper], _ report: inout CopyReport) async throws {
        let present = try await destination.packSizes(beside: packs)
        let missing = packs.filter { present[$0.id] != $0.size }
        // A piece of another size is what a damaged storage made of it.
        let broken = Set(missing.map(\.id).filter { present[$0] != nil })
        meter.begin("copy", total: missing.reduce(0) { $0 + $1.size })
        _ = try await concurrently(missing, limit: Self.parallel) { [self] pack in
            for claim in claims { try await claim.refresh() }
            let key = source.keys.pack(pack.id)
            let bytes = try await read(key, "the pack \(pack.id) is missing")
            guard try PackContents(bytes, id: pack.id).entry == pack else {
                throw FleetError(
                    .corrupted, "the pack \(pack.id) is not the one that the manifest names",
                    cause: "size or SHA-256 differ")
            }
            try await put(destination.keys.pack(pack.id), bytes, broken.contains(pack.id) ? .any : .absent)
            meter.add(pack.size)
        }
        report.packs += missing.count
        report.bytes += missing.reduce(0) { $0 + $1.size }
    }

    /// Archived files that the destination has not.
    private func copyWAL(
        of system: SystemIdentifier, _ claim: ClaimKeeper, _ report: inout CopyReport,
        where isWanted: (WALFileName, _ segmentSize: UInt64) -> Bool
    ) async throws {
        let segmentSize = try await source.segmentSize(of: system)
        let present = Set(try await destination.archivedFiles(of: system))
        let files = try await source.storage.listAll(source.keys.wal(system)).compactMap { object in
            source.keys.walFile(object.key, system).map { (file: $0, size: object.size) }
        }.filter { !present.contains($0.file) && isWanted($0.file, segmentSize) }
        guard !files.isEmpty else { return }
        meter.begin("copy WAL", total: files.reduce(0) { $0 + $1.size })
        let outcomes = try await concurrently(files, limit: Self.parallel) { [self] file, size in
            try await Outcome { () async throws -> Int64 in
                try await claim.refresh()
                let key = source.keys.wal(file, system)
                guard let bytes = try await source.storage.getIfPresent(key) else {
                    // Expired since it was listed.
                    return 0
                }
                try WALObject.check(bytes, key)
                try await put(destination.keys.wal(file, system), bytes, .absent)
                meter.add(size)
                return size
            }
        }
        for ((file, _), outcome) in zip(files, outcomes) {
            switch outcome {
            case .success(let size):
                report.archivedFiles += size == 0 ? 0 : 1
                report.bytes += size
            case .failure(let error):
                report.findings.append(.init(object: source.keys.wal(file, system), error: error))
            }
        }
    }

    private func requireWAL(_ range: WALRange, _ document: BackupDocument) async throws {
        let archive = ArchiveReader(instance: destination, system: document.record.systemIdentifier)
        for file in range.files {
            do {
                _ = try await archive.header(file)
            } catch let error as FleetError where error.code == .notFound {
                throw FleetError(
                    .corrupted, "the WAL segment \(file.text) is missing",
                    cause: "the backup \(document.record.label) cannot become consistent without it")
            }
        }
    }

    private func publish(_ document: BackupDocument, _ manifest: Manifest, _ claim: ClaimKeeper) async throws {
        let label = document.record.label
        try await put(
            destination.keys.manifest(label), try await read(source.keys.manifest(label), "its manifest is missing"),
            .any)
        if try await source.storage.head(source.keys.isolation(label)) != nil {
            try await destination.isolate(label, at: .now)
        }
        try claim.check()
        try await put(destination.keys.document(label), SealedJSON.encode(document), .absent)
        try await claim.drop()
    }

    private func read(_ key: String, _ absence: String) async throws -> [UInt8] {
        guard let bytes = try await source.storage.getIfPresent(key) else {
            throw FleetError(.corrupted, absence, cause: "there is no \(key)")
        }
        return bytes
    }

    /// Somebody else may have brought it meanwhile: the same name is the same content.
    private func put(_ key: String, _ bytes: [UInt8], _ condition: PutCondition) async throws {
        do {
            try await destination.storage.put(key, bytes, condition: condition)
        } catch let error as FleetError where error.code == .alreadyExists {
            return
        }
    }
}

extension CopyReport {
    mutating func add(_ part: CopyReport) {
        packs += part.packs
        archivedFiles += part.archivedFiles
        bytes += part.bytes
        findings += part.findings
    }
}

extension InstanceRepository {
    /// What one server has archived.
    func archivedFiles(of system: SystemIdentifier) async throws -> [WALFileName] {
        try await storage.listAll(keys.wal(system)).compactMap { keys.walFile($0.key, system) }
    }

    /// Bytes per WAL segment, from the newest archived one that can be read; the default where there is none.
    func segmentSize(of system: SystemIdentifier) async throws -> UInt64 {
        let archive = ArchiveReader(instance: self, system: system)
        for file in try await archivedFiles(of: system).reversed() where file.kind == .segment {
            let outcome = try await Outcome { try await archive.header(file).segmentSize }
            if case .success(.some(let size)) = outcome { return size }
        }
        return WALSegmentName.defaultSegmentSize
    }
}
