import Glibc

/// Who owns data directories and runs servers in tests: `postgres` when the tests run as root (which PostgreSQL
/// refuses), else the running user.
public struct ServerOwner: Sendable {
    public let name: String
    public let uid: UInt32
    public let gid: UInt32
    /// Whether the running user must be left for this one.
    public var isOther: Bool { uid != geteuid() }

    public static let current: ServerOwner = {
        let uid = geteuid()
        guard uid == 0 else { return ServerOwner(name: name(of: uid), uid: uid, gid: getegid()) }
        guard let entry = getpwnam("postgres") else {
            fatalError("the tests run as root and there is no user postgres: install Debian's postgresql package")
        }
        return ServerOwner(name: "postgres", uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
    }()

    /// The argv that runs `argv` as this user.
    public func argv(_ argv: [String]) -> [String] {
        guard isOther else { return argv }
        return ["setpriv", "--reuid", name, "--regid", "\(gid)", "--init-groups", "--"] + argv
    }

    /// Gives one path (not what lies beneath it) to this user.
    public func own(_ path: String) throws {
        guard isOther else { return }
        guard lchown(path, uid, gid) == 0 else { throw FixtureError("cannot chown \(path): errno \(errno)") }
    }

    private static func name(of uid: UInt32) -> String {
        guard let entry = getpwuid(uid) else { return "\(uid)" }
        return String(cString: entry.pointee.pw_name)
    }
}

/// A fixture could not do what a test asked it for.
public struct FixtureError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
