/// Bytes cut into lines, without their line feeds.
struct LineBuffer {
    private var bytes: [UInt8] = []
    /// Before this, there is no line feed.
    private var searched = 0

    /// Bytes of a line that has not ended.
    var count: Int { bytes.count }

    /// The lines that end in `piece`.
    mutating func lines(adding piece: [UInt8]) -> [[UInt8]] {
        bytes += piece
        var lines: [[UInt8]] = []
        var start = 0
        while let end = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(Array(bytes[start..<end]))
            start = end + 1
            searched = start
        }
        bytes.removeFirst(start)
        searched = bytes.count
        return lines
    }

    /// The first bytes of a line that has not ended; there must be so many.
    mutating func take(_ count: Int) -> [UInt8] {
        defer {
            bytes.removeFirst(count)
            searched = bytes.count
        }
        return Array(bytes.prefix(count))
    }

    /// What is left after the last line feed.
    mutating func rest() -> [UInt8] {
        defer { (bytes, searched) = ([], 0) }
        return bytes
    }
}
