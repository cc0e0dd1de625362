import Dispatch
import FleetPluginAPI
import Glibc

/// A user of this machine.
public struct UserAccount: Hashable, Sendable, Codable {
    public var name: String
    public var userID: UInt32
    public var groupID: UInt32
    public var home: String
    /// Every group it belongs to, `groupID` among them.
    public var groups: [UInt32]

    public init(name: String, userID: UInt32, groupID: UInt32, home: String, groups: [UInt32]) {
        self.name = name
        self.userID = userID
        self.groupID = groupID
        self.home = home
        self.groups = groups
    }

    /// - Throws: `notFound`; `unavailable` when the user database does not answer.
    public static func named(_ name: String) async throws -> UserAccount {
        try await lookUp("no user is called \(name)") { getpwnam_r(name, $0, $1, $2, $3) }
    }

    /// - Throws: `notFound`; `unavailable` when the user database does not answer.
    public static func withID(_ id: UInt32) async throws -> UserAccount {
        try await lookUp("no user has the id \(id)") { getpwuid_r(id, $0, $1, $2, $3) }
    }

    /// Who this process runs as; numbers stand for what the user database does not know.
    public static func current() async -> UserAccount {
        let id = geteuid()
        if let account = try? await withID(id) { return account }
        return UserAccount(name: "\(id)", userID: id, groupID: getegid(), home: "/", groups: [getegid()])
    }

    private typealias Call =
        @Sendable (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32

    // The database may be a directory service on the network.
    private static let queue = DispatchQueue(label: "user accounts")

    private static func lookUp(_ missing: String, _ call: @escaping Call) async throws -> UserAccount {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try find(missing, call) }) }
        }
    }

    private static func find(_ missing: String, _ call: Call) throws -> UserAccount {
        var buffer = [CChar](repeating: 0, count: 4096)
        while true {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = buffer.withUnsafeMutableBufferPointer { buffer -> Int32 in
                guard let base = buffer.baseAddress else { return ENOMEM }
                return call(&entry, base, buffer.count, &found)
            }
            switch code {
            case 0:
                guard found != nil else { throw FleetError(.notFound, missing) }
                return buffer.withUnsafeBufferPointer { _ in account(entry) }
            case ERANGE where buffer.count < 1 << 20: buffer = [CChar](repeating: 0, count: buffer.count * 4)
            case EINTR: continue
            case ENOENT, ESRCH: throw FleetError(.notFound, missing)
            default:
                throw FleetError(
                    .unavailable, "the user database does not answer", cause: String(cString: strerror(code)))
            }
        }
    }

    private static func account(_ entry: passwd) -> UserAccount {
        var count: Int32 = 64
        var groups = [gid_t](repeating: 0, count: Int(count))
        while getgrouplist(entry.pw_name, entry.pw_gid, &groups, &count) < 0, groups.count < 1 << 16 {
            count = max(count, Int32(groups.count * 2))
            groups = [gid_t](repeating: 0, count: Int(count))
        }
        return UserAccount(
            name: String(cString: entry.pw_name), userID: entry.pw_uid, groupID: entry.pw_gid,
            home: String(cString: entry.pw_dir), groups: Array(groups.prefix(Int(max(0, count)))))
    }
}
