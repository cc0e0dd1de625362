public import FleetPluginAPI
import Glibc

/// Who owns a file: a user and a group by number.
public struct FileOwner: Hashable, Sendable, Codable {
    public var user: UInt32
    public var group: UInt32

    public init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}

public enum FileKind: String, Hashable, Sendable, Codable {
    case file, directory, symbolicLink
    /// A socket, pipe or device.
    case other
}

/// What a file is, as `stat` has it.
public struct FileStatus: Hashable, Sendable {
    public var kind: FileKind
    /// Bytes.
    public var size: Int64
    public var modified: Timestamp
    /// Permission bits: `0o640`.
    public var mode: UInt32
    public var owner: FileOwner
    public var device: UInt64
    public var inode: UInt64
    /// Bytes really taken on the disk.
    public var allocated: Int64

    init(_ status: stat) {
        kind = FileKind(mode: status.st_mode)
        size = Int64(status.st_size)
        modified = Timestamp(
            microseconds: Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000)
        mode = status.st_mode & 0o7777
        owner = FileOwner(user: status.st_uid, group: status.st_gid)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        allocated = Int64(status.st_blocks) * 512
    }
}

extension FileKind {
    init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symbolicLink
        default: self = .other
        }
    }
}

/// A name in a directory.
public struct DirectoryEntry: Hashable, Sendable {
    public var name: String
    public var kind: FileKind

    public init(name: String, kind: FileKind) {
        self.name = name
        self.kind = kind
    }
}

/// Room on a file system, in bytes.
public struct FileSystemSpace: Hashable, Sendable {
    public var total: Int64
    /// What this process may still use; less than what is free where blocks are reserved for root.
    public var available: Int64
}

/// How a file is written.
public struct WriteOptions: Hashable, Sendable {
    /// Replace a file that is there, or throw `alreadyExists` and leave it untouched.
    public var replaces: Bool
    public var mode: UInt32
    /// Nil: whoever writes it. Giving files away needs root.
    public var owner: FileOwner?
    /// Missing parent directories are made with this mode and the owner above; nil: they must exist.
    public var directoryMode: UInt32?

    public init(
        replaces: Bool = true, mode: UInt32 = 0o640, owner: FileOwner? = nil, directoryMode: UInt32? = 0o750
    ) {
        self.replaces = replaces
        self.mode = mode
        self.owner = owner
        self.directoryMode = directoryMode
    }
}
