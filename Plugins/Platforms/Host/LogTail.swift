import DurableFiles
import FleetPluginAPI

/// The end of a log that may be large and is being written to.
enum LogTail {
    /// At most this much is read, in bytes.
    static let limit: Int64 = 256 << 10

    /// The last `lines` lines written after `offset`; empty when there is no such file. Blocks.
    static func read(_ path: String, from offset: Int64 = 0, lines: Int) throws -> [String] {
        guard let size = try BlockingDisk.status(path, followingLinks: true)?.size else { return [] }
        // A file that is shorter than it was is a new one.
        let first = offset <= size ? offset : 0
        let start = max(first, size - limit)
        var bytes = try BlockingDisk.read(path, range: start..<max(start, size))[...]
        if start > first, let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            bytes = bytes[bytes.index(after: newline)...]
        }
        return Array(self.lines(String(decoding: bytes, as: UTF8.self)).suffix(lines))
    }

    static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map(String.init)
    }
}
