import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import Glibc
import PostgresFormats

/// Segments that were stored before PostgreSQL asked for it, noted in a directory beside its WAL.
///
/// The archiver hands over one segment after the other, each to a process of its own, and waits. A call that has stored
/// its own segment stores those as well that are already waiting, side by side, and notes each once every repository has
/// it durably: the calls that follow look at the note. So nothing is ever acknowledged that is not stored, and no process
/// is left behind, whose parent in a container would be the server.
///
/// A note is of one file as it was read, and of the repositories as they were declared; it holds for nothing else. Where
/// it is lost, the segment is stored again, which changes nothing.
struct PushedAhead: Sendable {
    private let parent: String
    private let directory: String
    /// The repositories, as fleet.yaml has them.
    private let places: String

    private static let name = "fleet-pushed"
    /// Segments that one call stores beyond its own, at most.
    private static let limit = 64

    init(beside path: String, _ repositories: [EngineContext.Repository]) throws {
        parent = parentPath(of: path)
        directory = "\(parent)/\(Self.name)"
        let declared = repositories.map {
            JSONValue.array([.string($0.name), .string($0.plugin), .object($0.options.values)])
        }
        places = ContentHash(of: try SealedJSON.encode(JSONValue.array(declared))).description
    }

    /// Whether a segment is noted; the note is used up. Blocks.
    func take(_ name: WALFileName) -> Bool {
        let path = "\(directory)/\(name.text)"
        guard let note = try? BlockingDisk.readIfPresent(path, limit: 4096) else { return false }
        unlink(path)
        return identity(of: name).map { Array($0.utf8) == note } ?? false
    }

    /// Segments after one that are waiting for the archiver, in their order. Blocks.
    func waiting(after name: WALFileName) -> [WALFileName] {
        let entries = (try? BlockingDisk.list("\(parent)/archive_status", followingLinks: true)) ?? []
        let ready = Set(entries.compactMap { $0.name.hasSuffix(".ready") ? String($0.name.dropLast(6)) : nil })
        // Notes that nobody will ask for any more: of a history that was left.
        for entry in (try? BlockingDisk.list(directory)) ?? [] where !ready.contains(entry.name) {
            unlink("\(directory)/\(entry.name)")
        }
        return ready.compactMap { WALFileName($0) }
            .filter { $0.kind == .segment && $0.text > name.text && access("\(directory)/\($0.text)", F_OK) != 0 }
            .sorted { $0.text < $1.text }.prefix(Self.limit).map { $0 }
    }

    func path(of name: WALFileName) -> String { "\(parent)/\(name.text)" }

    /// What a file is: as long as that is the same, so is its content, for a segment that waits is not written to.
    /// Nil for one that is gone. Blocks.
    func identity(of name: WALFileName) -> String? {
        guard let status = try? BlockingDisk.status(path(of: name)) else { return nil }
        return "\(name.text) \(status.device) \(status.inode) \(status.size) \(status.modified.microseconds) \(places)"
    }

    /// Notes that every repository has what the file was. Blocks.
    func note(_ name: WALFileName, _ identity: String) {
        mkdir(directory, 0o700)
        try? RestoredFile.write(Array(identity.utf8), to: "\(directory)/\(name.text)")
    }
}
