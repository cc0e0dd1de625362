public import FleetPluginAPI

/// A `tablespace_map` file: the links that recovery makes in `pg_tblspc`.
///
/// PostgreSQL source: `read_tablespace_map` in `src/backend/access/transam/xlogrecovery.c`.
public struct TablespaceMap: Hashable, Sendable {
    public var tablespaces: [BackupRecord.Tablespace]

    public init(tablespaces: [BackupRecord.Tablespace]) {
        self.tablespaces = tablespaces
    }

    /// - Throws: `corrupted` for a line without a number and a path, or a path that is not UTF-8.
    public init(_ bytes: [UInt8]) throws(FleetError) {
        tablespaces = []
        var line: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            if !isEscaped, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if !isEscaped, byte == 0x0A || byte == 0x0D {
                try add(line)
                line = []
            } else {
                line.append(byte)
                isEscaped = false
            }
        }
        guard line.isEmpty, !isEscaped else { throw Self.corrupted("its last line is cut short") }
    }

    private mutating func add(_ line: [UInt8]) throws(FleetError) {
        guard !line.isEmpty else { return }
        guard let space = line.firstIndex(of: 0x20), let oid = UInt32(String(decoding: line[..<space], as: UTF8.self)),
            oid > 0, let path = String(validating: line[(space + 1)...], as: UTF8.self), !path.isEmpty,
            !path.utf8.contains(0)
        else { throw Self.corrupted("a line is not a number and a path") }
        tablespaces.append(BackupRecord.Tablespace(oid: oid, path: path))
    }

    private static func corrupted(_ cause: String) -> FleetError {
        FleetError(.corrupted, "the tablespace_map is damaged", cause: cause)
    }

    /// The file as PostgreSQL writes it.
    public var bytes: [UInt8] {
        var text: [UInt8] = []
        for tablespace in tablespaces {
            text += "\(tablespace.oid) ".utf8
            for byte in tablespace.path.utf8 {
                if byte == 0x0A || byte == 0x0D || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            }
            text.append(0x0A)
        }
        return text
    }
}
