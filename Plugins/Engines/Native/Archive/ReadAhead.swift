import DurableFiles
import FleetPluginAPI
import Glibc
import PostgresFormats

/// Segments that were fetched before PostgreSQL asked for them, in a directory beside its WAL.
///
/// Recovery asks for one segment after the other, each time with a process of its own, and waits for it. From the second
/// one on a call fetches the next few as well, side by side, and the calls that follow only rename. No process is left
/// behind for that: in a container its parent would be the server, which takes the end of a strange child for a crash.
///
/// What is there is whole as long as the machine has not been started anew, since nothing is fsynced, and of use to the
/// server whose data lies there: the directory is named for both, and any other one is thrown away.
struct ReadAhead: Sendable {
    private let parent: String
    private let directory: String

    private static let prefix = "fleet-ahead-"
    /// How many segments are fetched beyond the one that was asked for, and how many bytes at most.
    private static let segments = 3
    private static let bytes: UInt64 = 64 << 20

    /// Nil where it cannot be told whether the machine has been started anew. Blocks.
    ///
    /// - Parameters:
    ///   - destination: where PostgreSQL wants a file.
    ///   - system: whose data lies there; nil when nobody can tell.
    init?(beside destination: String, system: SystemIdentifier?) {
        self.init(
            beside: destination, system: system,
            boot: try? BlockingDisk.readUnsized("/proc/sys/kernel/random/boot_id"))
    }

    init?(beside destination: String, system: SystemIdentifier?, boot: [UInt8]?) {
        guard let boot else { return nil }
        let id = String(decoding: boot.prefix { $0 > 0x20 }, as: UTF8.self)
        guard !id.isEmpty, !id.contains("/") else { return nil }
        parent = parentPath(of: destination)
        directory = "\(parent)/\(Self.prefix)\(system.map { "\($0)-" } ?? "")\(id)"
    }

    /// Gives PostgreSQL a segment that is there already. Returns whether it was.
    func take(_ name: WALFileName, to destination: String) -> Bool {
        rename("\(directory)/\(name.text)", destination) == 0
    }

    /// Says that recovery has asked for a segment, so that the next call reads ahead. Returns whether one has before.
    func begin() -> Bool {
        guard mkdir(directory, 0o700) != 0 else {
            remove(but: directory)
            return false
        }
        return errno == EEXIST
    }

    /// What to fetch after a segment, without what is there.
    func next(after name: WALFileName, segmentSize: UInt64) -> [WALFileName] {
        guard let segment = name.segment(ofSize: segmentSize) else { return [] }
        let count = min(UInt64(Self.segments), Self.bytes / segmentSize)
        return (0..<count).map { index in
            WALFileName(
                WALSegmentName(timeline: segment.timeline, number: segment.number + 1 + index, segmentSize: segmentSize)
            )
        }.filter { access("\(directory)/\($0.text)", F_OK) != 0 }
    }

    /// Keeps a segment for later; one that does not find room is fetched when it is asked for.
    func keep(_ object: ArchivedObject, of name: WALFileName) {
        try? object.write(to: "\(directory)/\(name.text)")
    }

    /// Throws everything away: recovery is at its end, or goes another way.
    func remove() {
        remove(but: nil)
    }

    private func remove(but kept: String?) {
        let entries = (try? BlockingDisk.list(parent, followingLinks: true)) ?? []
        for entry in entries where entry.kind == .directory && entry.name.hasPrefix(Self.prefix) {
            let path = "\(parent)/\(entry.name)"
            // What cannot be removed is room lost, and no fault of the file that is asked for.
            if path != kept { _ = try? BlockingDisk.removeTree(path) }
        }
    }
}
