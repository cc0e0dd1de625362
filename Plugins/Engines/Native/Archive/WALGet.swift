import DurableFiles
import FleetPluginAPI
import Glibc
import PostgresFormats

/// `fleet agent wal-get %f %p`: fetches an archived file.
///
/// PostgreSQL takes exit statuses 1 to 125 for "the archive ends here" and promotes. So 1 is said only when every
/// repository has answered that it has no such file, and every fault is 200 or more, which stops recovery.
enum WALGet {
    enum Status {
        static let found: Int32 = 0
        static let notFound: Int32 = 1
        static let fault: Int32 = 200
        static let unavailable: Int32 = 201
        static let corrupted: Int32 = 202
        static let otherSystem: Int32 = 203
        static let destination: Int32 = 204
        static let usage: Int32 = 205
    }

    @Sendable static func run(_ context: AgentContext, _ arguments: [String]) async -> Int32 {
        guard arguments.count == 2, let name = WALFileName(arguments[0]) else {
            context.log("wal-get takes the name of a WAL file and where to put it: restore_command: … %f %p")
            return Status.usage
        }
        guard !context.repositories.isEmpty else {
            context.log("the instance \(context.instance.name) has no repository to get \(name.text) from")
            return Status.usage
        }
        let destination = arguments[1]
        let system: SystemIdentifier?
        let ahead: ReadAhead?
        do {
            (system, ahead) = try await Workers.run {
                let system = DataDirectory(ofWALFile: destination).control?.systemIdentifier
                let ahead = ReadAhead(beside: destination, system: system)
                // PostgreSQL looks for further timelines before it begins and before it ends.
                if name.kind == .history { ahead?.remove() }
                return (system, ahead)
            }
        } catch {
            context.log(FleetError(error, "cannot get \(name.text)").description)
            return Status.fault
        }
        if name.kind == .segment, let ahead, ahead.take(name, to: destination) { return Status.found }
        var faults: [FleetError] = []
        for repository in context.repositories {
            do {
                let archive = try await Repository.open(repository, context.resolve)
                    .instance(context.instance.name).archive(system)
                guard let object = try await archive.object(name) else { continue }
                let status = try await store(object, destination, context)
                for fault in faults { context.log(fault.description) }
                if status == Status.found, name.kind == .segment, let ahead, ahead.begin() {
                    let next = ahead.next(after: name, segmentSize: UInt64(object.header.size))
                    await fetch(next, from: archive, ahead)
                }
                return status
            } catch {
                faults.append(
                    FleetError(error, "reading failed").during(
                        "cannot get \(name.text) from the repository \(repository.name)"))
            }
        }
        for fault in faults { context.log(fault.description) }
        return faults.map(status).max() ?? Status.notFound
    }

    /// How long a call may take for segments that nobody has asked for yet.
    private static let patience = Duration.seconds(2)

    /// Fetches what will be asked for next. What is not there, or damaged, is found out when it is asked for.
    private static func fetch(_ names: [WALFileName], from archive: ArchiveReader, _ ahead: ReadAhead) async {
        guard !names.isEmpty else { return }
        let work = Task {
            await withTaskGroup(of: Void.self) { group in
                for name in names {
                    group.addTask {
                        guard let object = try? await archive.object(name) else { return }
                        try? await Workers.run { ahead.keep(object, of: name) }
                    }
                }
            }
        }
        let limit = Task {
            try await Task.sleep(for: patience)
            work.cancel()
        }
        await work.value
        limit.cancel()
    }

    /// - Throws: `corrupted` when the archive is at fault.
    private static func store(
        _ object: ArchivedObject, _ destination: String, _ context: AgentContext
    ) async throws -> Int32 {
        do {
            try await Workers.run { try object.write(to: destination) }
            return Status.found
        } catch let error as FleetError where error.code == .corrupted {
            throw error
        } catch {
            context.log(FleetError(error, "cannot write \(object.header.name)").description)
            return Status.destination
        }
    }

    private static func status(_ fault: FleetError) -> Int32 {
        switch fault.code {
        case .unavailable, .timedOut, .denied: Status.unavailable
        case .corrupted: Status.corrupted
        case .refused: Status.otherSystem
        default: Status.fault
        }
    }
}

/// A file that PostgreSQL is waiting for. It is renamed into place and not fsynced: after a crash recovery fetches it
/// anew, and what recovery keeps it makes durable itself (`KeepFileRestoredFromArchive`).
enum RestoredFile {
    static func write(_ content: [UInt8], to path: String) throws {
        try write(to: path) { put in try put(content.span.bytes) }
    }

    /// - Parameter fill: calls what it is given with the content, piece by piece.
    static func write(to path: String, _ fill: ((RawSpan) throws -> Void) throws -> Void) throws {
        let temporary = "\(path).fleet-\(getpid())"
        unlink(temporary)
        do {
            let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw FleetError(errno: errno, "cannot make \(temporary)") }
            defer { close(file) }
            var offset: Int64 = 0
            try fill { piece in
                try piece.withUnsafeBytes { try FileBytes.write($0, to: file, at: offset, temporary) }
                offset += Int64(piece.byteCount)
            }
            guard rename(temporary, path) == 0 else { throw FleetError(errno: errno, "cannot rename to \(path)") }
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
