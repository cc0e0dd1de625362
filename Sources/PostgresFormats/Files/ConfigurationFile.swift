/// A PostgreSQL configuration file, above all `postgresql.auto.conf`: read, and changed line by line, with every other
/// byte left as it was.
///
/// PostgreSQL source: `src/backend/utils/misc/guc-file.l`.
public struct ConfigurationFile: Hashable, Sendable {
    /// A setting as a line states it.
    public struct Setting: Hashable, Sendable {
        /// As written; PostgreSQL compares names without regard to case.
        public var name: String
        /// The value, unquoted.
        public var value: String
        /// From 1.
        public var line: Int
    }

    /// Each line with its line break.
    var lines: [Line]

    struct Line: Hashable, Sendable {
        var bytes: [UInt8]
        var content: Content

        init(bytes: [UInt8]) {
            self.bytes = bytes
            content = ConfigurationLine.parse(bytes)
        }
    }

    enum Content: Hashable, Sendable {
        case setting(name: String, value: String)
        case blank
        case comment(String)
        /// Nothing that PostgreSQL would accept.
        case malformed
    }

    public init(_ bytes: [UInt8]) {
        lines = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
            lines.append(Line(bytes: Array(bytes[start..<end])))
            start = end
        }
    }

    public var bytes: [UInt8] { lines.flatMap(\.bytes) }

    /// All settings in order; `include` directives are among them under their own names.
    public var settings: [Setting] {
        lines.enumerated().compactMap { index, line in
            guard case .setting(let name, let value) = line.content else { return nil }
            return Setting(name: name, value: value, line: index + 1)
        }
    }

    /// The lines, from 1, that PostgreSQL would refuse the file for.
    public var malformedLines: [Int] {
        lines.indices.filter { lines[$0].content == .malformed }.map { $0 + 1 }
    }

    /// The value in force: the last one stated. Nil when there is none.
    public subscript(name: String) -> String? {
        settings.last { ConfigurationFile.isSame($0.name, name) }?.value
    }

    static func isSame(_ left: String, _ right: String) -> Bool {
        left.lowercased() == right.lowercased()
    }
}
