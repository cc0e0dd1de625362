/// A file that holds pages of a relation, told by its path in the data directory.
///
/// PostgreSQL source: `parse_filename_for_nontemp_relation` and `looks_like_temp_rel_name`; manual, section 73.1.
public struct RelationFile: Hashable, Sendable {
    /// The directory and the number: what all files of one relation have in common.
    public var relation: String
    public var fork: Fork
    /// Which part of the fork, from 0: 1 GiB each where PostgreSQL was built as usual.
    public var segment: UInt32
    /// Of a session's temporary table.
    public var isTemporary: Bool

    public enum Fork: String, Hashable, Sendable, CaseIterable {
        case main = ""
        case freeSpaceMap = "fsm"
        case visibilityMap = "vm"
        /// What an unlogged relation is made of after a crash; only such relations have one.
        case initial = "init"
    }

    /// Pages of one file, where PostgreSQL was built as usual (`RELSEG_SIZE`).
    public static let pagesPerSegment: UInt32 = 131_072

    /// - Parameter path: relative to the data directory, tablespaces below `pg_tblspc/<oid>`. Nil for any other file.
    public init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, Self.holdsRelations(parts.dropLast()) else { return nil }
        self.init(directory: path.dropLast(name.count), name: name)
    }

    private init?(directory: Substring, name: Substring) {
        var rest = name[...]
        var owner = ""
        if rest.first == "t" {
            guard let end = rest.firstIndex(of: "_"), Self.isNumber(rest[..<end].dropFirst()) else { return nil }
            owner = String(rest[...end])
            rest = rest[end...].dropFirst()
        }
        let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard Self.isNumber(parts[1]), let number = UInt32(parts[1]), number > 0 else { return nil }
            segment = number
        } else if parts.count == 1 {
            segment = 0
        } else {
            return nil
        }
        let words = parts[0].split(separator: "_", omittingEmptySubsequences: false)
        guard Self.isNumber(words[0]), words.count <= 2 else { return nil }
        if words.count == 2 {
            guard let fork = Fork(rawValue: String(words[1])), fork != .main else { return nil }
            self.fork = fork
        } else {
            fork = .main
        }
        relation = "\(directory)\(owner)\(words[0])"
        isTemporary = !owner.isEmpty
    }

    private static func holdsRelations(_ directory: ArraySlice<Substring>) -> Bool {
        let parts = Array(directory)
        return switch parts.first {
        case "global": parts.count == 1
        case "base": parts.count == 2 && isNumber(parts[1])
        case "pg_tblspc":
            parts.count == 4 && isNumber(parts[1]) && parts[2].hasPrefix("PG_") && isNumber(parts[3])
        default: false
        }
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 10 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
