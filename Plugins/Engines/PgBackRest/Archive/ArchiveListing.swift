import FleetPluginAPI
import FoundationEssentials

/// What the archive of one server really holds, from `pgbackrest repo-ls --output=json --recurse`: the ends that
/// `info` tells say nothing of what lies between them.
///
/// Layout (pgBackRest's `src/command/archive`): `<16 hex>/<24 hex>-<sha1>[.ext]` for segments, with
/// `<24 hex>.partial-<sha1>[.ext]` for the last one of a timeline that was left, `<24 hex>.<8 hex>.backup`, and
/// `<8 hex>.history`.
struct ArchiveListing: Sendable {
    /// By the 24 digits.
    private(set) var segments: [String: File] = [:]
    private(set) var histories: [TimelineID: File] = [:]
    /// Segments of which there are two with different contents.
    private(set) var duplicates: Set<String> = []

    struct File: Hashable, Sendable {
        /// Below the archive of the server.
        var path: String
        var size: Int64
        var time: Timestamp
        /// Of the segment's content, 40 digits; empty for a history.
        var sha1: String
        var compression: ArchiveCompression

        /// Tells this content from any other.
        var identity: String { "\(path)@\(time.microseconds)" }
    }

    private struct Entry: Decodable {
        var type: String
        var size: Int64?
        var time: Int64?
    }

    /// - Throws: `protocolViolation` when it is no listing.
    init(_ bytes: [UInt8]) throws {
        let entries: [String: Tolerant<Entry>]
        do {
            entries = try JSONDecoder().decode([String: Tolerant<Entry>].self, from: Data(bytes))
        } catch {
            throw FleetError(.protocolViolation, "pgbackrest repo-ls did not answer with a listing", cause: "\(error)")
        }
        for (path, item) in entries {
            guard let entry = item.value, entry.type == "file" else { continue }
            add(path, entry)
        }
    }

    private mutating func add(_ path: String, _ entry: Entry) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let time = Timestamp(seconds: entry.time ?? 0)
        if let timeline = TimelineHistory.timeline(ofFile: name) {
            histories[timeline] = File(
                path: path, size: entry.size ?? 0, time: time, sha1: "", compression: .none)
        }
        guard let parts = SegmentFileName(name) else { return }
        let file = File(
            path: path, size: entry.size ?? 0, time: time, sha1: parts.sha1, compression: parts.compression)
        if segments.updateValue(file, forKey: parts.segment) != nil { duplicates.insert(parts.segment) }
    }
}

/// `000000010000000000000004-396bea5f1fd7c4a7d9e8f26929f9418c4aa4156f.gz`
struct SegmentFileName: Hashable, Sendable {
    var segment: String
    var sha1: String
    var compression: ArchiveCompression

    /// Nil for anything else, partial segments included: recovery does not read them.
    init?(_ name: some StringProtocol) {
        let name = String(name)
        guard name.utf8.count >= 65, name.utf8.dropFirst(24).first == UInt8(ascii: "-"),
            WALSegmentName(name.prefix(24), segmentSize: 1 << 20) != nil
        else { return nil }
        let sha1 = name.dropFirst(25).prefix(40)
        let ending = name.dropFirst(65)
        guard sha1.utf8.count == 40, sha1.allSatisfy({ $0.isHexDigit && !$0.isUppercase }),
            let compression = ArchiveCompression(ending: ending)
        else { return nil }
        segment = String(name.prefix(24))
        self.sha1 = String(sha1)
        self.compression = compression
    }
}

/// How a file of the archive is compressed, as its name says.
enum ArchiveCompression: String, Hashable, Sendable {
    case none = ""
    case gzip = ".gz"
    case zstd = ".zst"
    case lz4 = ".lz4"
    case bzip2 = ".bz2"

    init?(ending: some StringProtocol) {
        self.init(rawValue: String(ending))
    }

    /// What must decompress it beside the data, where fleet itself does not.
    var tool: [String]? {
        switch self {
        case .none, .gzip, .zstd: nil
        case .lz4: ["lz4", "-dc"]
        case .bzip2: ["bzip2", "-dc"]
        }
    }
}
