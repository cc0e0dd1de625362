import FleetPluginAPI

/// What one repository holds for an instance, read object by object: a damaged one costs only itself.
struct InstanceCatalog: Sendable {
    private let instance: InstanceRepository
    private(set) var catalog = Catalog()

    private init(_ instance: InstanceRepository) {
        self.instance = instance
    }

    static func read(_ instance: InstanceRepository) async throws -> Catalog {
        var reader = InstanceCatalog(instance)
        try await reader.readBackups()
        do {
            if let system = try await instance.record()?.current { try await reader.readArchive(system) }
        } catch let error as FleetError where error.code == .corrupted || error.code == .unsupported {
            reader.add(error, instance.keys.record)
        }
        return reader.catalog
    }

    private mutating func readBackups() async throws {
        let names = try await instance.backupObjects()
        let labels = names.filter { $0.value.contains("backup.json") }.keys.sorted()
        let documents = try await concurrently(labels) { [instance] label in
            try await Outcome { try await instance.document(label) }
        }
        for (label, outcome) in zip(labels, documents) {
            switch outcome {
            case .success(let document):
                guard var record = document?.record else { continue }
                if names[label]?.contains("manifest.zst") != true {
                    record.problem = "its manifest is missing"
                    add(FleetError(.corrupted, "the backup \(label) has lost its manifest"), label)
                }
                if names[label]?.contains("damaged.json") == true {
                    record.problem = record.problem ?? "it is damaged: see fleet backups repair"
                }
                record.isIsolated = names[label]?.contains("isolated.json") == true ? true : nil
                if names[label]?.contains("hold.json") == true { await readHold(of: &record) }
                catalog.backups.append(record)
            case .failure(let error): add(error, label)
            }
        }
    }

    private mutating func readHold(of record: inout BackupRecord) async {
        do {
            record.hold = try await instance.hold(on: record.label)
        } catch {
            add(FleetError(error, "the hold on \(record.label) cannot be read"), record.label)
        }
    }

    private mutating func readArchive(_ system: SystemIdentifier) async throws {
        let objects = try await instance.storage.listAll(instance.keys.wal(system))
        let archive = ArchiveReader(instance: instance, system: system)
        let files = objects.compactMap { object in
            instance.keys.walFile(object.key, system).map { (file: $0, size: object.storedSize) }
        }
        try await readSegments(files.filter { $0.file.kind == .segment }, archive)
        try await readHistories(files.map(\.file).filter { $0.kind == .history }.map(\.timeline), archive)
    }

    private mutating func readSegments(_ files: [(file: WALFileName, size: Int64)], _ archive: ArchiveReader)
        async throws
    {
        let headers = try await concurrently(files.map(\.file)) { file in
            try await Outcome { try await archive.header(file) }
        }
        for ((file, size), outcome) in zip(files, headers) {
            switch outcome {
            case .success(let header):
                guard let segmentSize = header.segmentSize, let name = file.segment(ofSize: segmentSize) else {
                    add(FleetError(.corrupted, "\(file.text) is no segment by its own size"), file.text)
                    continue
                }
                catalog.segmentSize = segmentSize
                catalog.segments.append(
                    .init(name: name, archivedAt: header.archivedAt, storedSize: size, summary: header.summary))
            // Removed since it was listed.
            case .failure(let error) where error.code == .notFound: continue
            case .failure(let error): add(error, file.text)
            }
        }
        catalog.segments.sort { $0.name < $1.name }
    }

    private mutating func readHistories(_ timelines: [TimelineID], _ archive: ArchiveReader) async throws {
        let histories = try await concurrently(timelines.sorted()) { timeline in
            try await Outcome { try await archive.history(timeline) }
        }
        for (timeline, outcome) in zip(timelines.sorted(), histories) {
            switch outcome {
            case .success(let history): if let history { catalog.timelines.append(history) }
            case .failure(let error): add(error, TimelineHistory.fileName(of: timeline))
            }
        }
        let seen = Set(catalog.segments.map(\.name.timeline)).union(catalog.backups.map(\.timeline))
        if seen.contains(1) || !catalog.timelines.isEmpty {
            catalog.timelines.insert(TimelineHistory(timeline: 1), at: 0)
        }
        let known = Set(catalog.timelines.map(\.timeline)).union(timelines)
        for timeline in seen.subtracting(known).sorted() {
            add(
                FleetError(
                    .corrupted, "timeline \(timeline) has no history in the archive",
                    hint:
                        "copy \(TimelineHistory.fileName(of: timeline)) from the server's pg_wal with fleet agent wal-push"
                ),
                TimelineHistory.fileName(of: timeline))
        }
    }

    private mutating func add(_ error: FleetError, _ subject: String) {
        catalog.problems.append(.init(subject: subject, error: error))
    }
}

/// What became of one of many: damage is an outcome; a repository that cannot be reached ends the whole.
enum Outcome<Value: Sendable>: Sendable {
    case success(Value)
    case failure(FleetError)

    init(_ work: () async throws -> Value) async throws {
        do {
            self = .success(try await work())
        } catch let error as FleetError {
            if error.code == .unavailable || error.code == .denied || error.code == .timedOut { throw error }
            self = .failure(error)
        }
    }
}

extension StoredObject {
    fileprivate var storedSize: Int64 { size }
}
