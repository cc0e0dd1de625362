public import FleetPluginAPI

/// A member of a tar archive.
public struct TarEntry: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case file
        case directory
        case symbolicLink(target: String)
        case hardLink(target: String)
        /// Devices, pipes and what else `BASE_BACKUP` never sends: the type byte.
        case other(UInt8)
    }

    /// Why a path must not be joined to a directory and written to.
    public enum PathHazard: String, Hashable, Sendable, CaseIterable {
        case empty
        case absolute
        /// A `..` among its parts.
        case parent
        /// A zero byte, or bytes that are not UTF-8: no file of that very name could be made.
        case unprintable
    }

    /// As it stands in the archive, but for `./` in front and slashes at the end.
    public var path: String
    public var kind: Kind
    /// Bytes of data that follow; zero for all but files.
    public var size: UInt64
    /// Permission bits.
    public var mode: UInt32
    public var modified: Timestamp
    /// Nil when the path is harmless. Whoever extracts must refuse any other. A symbolic link's target is not judged.
    public var pathHazard: PathHazard?

    public init(
        path: String, kind: Kind, size: UInt64, mode: UInt32, modified: Timestamp, pathHazard: PathHazard? = nil
    ) {
        self.path = path
        self.kind = kind
        self.size = size
        self.mode = mode
        self.modified = modified
        self.pathHazard = pathHazard
    }

    static func hazard(of path: [UInt8]) -> PathHazard? {
        guard !path.isEmpty else { return .empty }
        guard !path.contains(0), String(validating: path, as: UTF8.self) != nil else { return .unprintable }
        guard path[0] != UInt8(ascii: "/") else { return .absolute }
        return path.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual(Array("..".utf8)) } ? .parent : nil
    }
}
