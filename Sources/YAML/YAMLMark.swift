/// A place in a document, counted as editors show it.
///
/// Lines end at LF, CRLF or CR, and at NEL, LS and PS, which YAML 1.1 (and with it libyaml) takes for line breaks.
public struct YAMLMark: Hashable, Sendable {
    private let storedLine: UInt32
    private let storedColumn: UInt32

    /// The first line is 1.
    public var line: Int { Int(storedLine) }
    /// In Unicode scalars; the first column is 1. A byte order mark takes no column.
    public var column: Int { Int(storedColumn) }

    public init(line: Int, column: Int) {
        storedLine = UInt32(clamping: line)
        storedColumn = UInt32(clamping: column)
    }

    public static let start = YAMLMark(line: 1, column: 1)

    /// The place of the byte at `offset`; everything before it must be UTF-8.
    init(offset: Int, in bytes: some Collection<UInt8>) {
        var line = 1
        var column = 1
        var previous: UInt8 = 0
        for byte in bytes.prefix(offset).dropFirst(bytes.starts(with: Encoding.byteOrderMark) ? 3 : 0) {
            switch byte {
            case UInt8(ascii: "\n"):
                if previous != UInt8(ascii: "\r") { line += 1 }
                column = 1
            case UInt8(ascii: "\r"):
                line += 1
                column = 1
            case 0x80...0xBF: break
            default: column += 1
            }
            previous = byte
        }
        self.init(line: line, column: column)
    }
}

extension YAMLMark: Comparable {
    public static func < (left: Self, right: Self) -> Bool {
        (left.storedLine, left.storedColumn) < (right.storedLine, right.storedColumn)
    }
}

extension YAMLMark: CustomStringConvertible {
    /// `12:5`
    public var description: String { "\(line):\(column)" }
}
