/// A line of pgBackRest's console output: `2026-11-26 02:16:02.442 P00   INFO: text`, with or without the time, or
/// `ERROR: text` on stderr.
struct ConsoleLine: Hashable, Sendable {
    enum Level: String, CaseIterable {
        case assert = "ASSERT"
        case error = "ERROR"
        case warning = "WARN"
        case info = "INFO"
        case detail = "DETAIL"
        case debug = "DEBUG"
        case trace = "TRACE"
    }

    var level: Level
    var text: String

    /// Nil for a line that goes on with the one before it, and for anything else.
    init?(_ line: some StringProtocol) {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        // The time has colons of its own.
        var rest = line[...]
        if line.first?.isNumber == true {
            guard let process = line.firstRange(of: " P") else { return nil }
            rest = line[process.upperBound...].drop(while: \.isNumber)
        } else if line.first == "P", line.dropFirst().first?.isNumber == true {
            rest = line.dropFirst().drop(while: \.isNumber)
        } else if line[..<colon].contains(where: \.isWhitespace) {
            return nil
        }
        rest = rest.drop { $0 == " " }
        guard let end = rest.firstIndex(of: ":"), let level = Level(rawValue: String(rest[..<end])) else { return nil }
        self.level = level
        text = String(rest[rest.index(after: end)...].drop { $0 == " " })
    }
}

/// What a line says of files that were copied: `backup file /data/base/1/1255 (656KB, 12.34%) checksum …`.
struct CopiedFile: Hashable, Sendable {
    var phase: String
    /// Of the file, as exactly as it is printed.
    var size: Int64
    /// Of all that is to be copied, so far.
    var percent: Double

    init?(_ text: some StringProtocol) {
        let verbs = ["backup": "copy", "restore": "restore", "match": "copy", "store": "copy"]
        let words = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard words.count == 3, words[1] == "file" || words[1] == "zeroed", let phase = verbs[String(words[0])],
            let end = text.ranges(of: "%)").last, let begin = text[..<end.lowerBound].lastIndex(of: "(")
        else { return nil }
        let parts = text[text.index(after: begin)..<end.lowerBound].split(separator: ",").map {
            $0.drop { $0 == " " }
        }
        guard parts.count >= 2, let percent = Double(parts[parts.count - 1]), (0...100).contains(percent),
            let size = Self.bytes(parts[parts.count - 2])
        else { return nil }
        self.phase = phase
        self.size = size
        self.percent = percent
    }

    /// `0B`, `8KB`, `22.1MB`: pgBackRest's units are of 1024.
    static func bytes(_ text: some StringProtocol) -> Int64? {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number >= 0, number < 1e15 else { return nil }
        let powers = ["B": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5]
        guard let power = powers[String(text.dropFirst(digits.count))] else { return nil }
        let bytes = (0..<power).reduce(number) { product, _ in product * 1024 }
        return bytes < 9e18 ? Int64(bytes) : nil
    }
}
