import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner

/// An instance with its `platform:` block held against the file system.
struct HostInstance: Sendable {
    var name: String
    /// Absolute, a symbolic link at its end followed.
    var dataDirectory: String
    var owner: UserAccount
    var options: PluginOptions
    /// From `PG_VERSION`; nil while there is none.
    var majorVersion: String?
    /// There is no data directory, or an empty one.
    var isAbsent: Bool

    /// Looks at the file system.
    ///
    /// - Throws: `configuration` for options that cannot be right, `denied` when fleet runs as neither root nor owner.
    static func resolve(_ instance: Instance, on disk: Disk) async throws -> HostInstance {
        let name = instance.name
        let declared = try absolute(instance.platform.required("dataDirectory"), of: name)
        let directory = try await disk.run { try followed(declared) }
        let status = try await disk.status(directory, followingLinks: true)
        if let status, status.kind != .directory {
            throw FleetError(
                .configuration, "the data directory of \(name), \(directory), is not a directory",
                hint: "dataDirectory is the folder that holds PG_VERSION")
        }
        let owner = try await owner(of: instance, status)
        guard geteuid() == 0 || geteuid() == owner.userID else {
            let me = await UserAccount.current().name
            throw FleetError(
                .denied, "fleet runs as \(me), and the data directory of \(name) belongs to \(owner.name)",
                cause: directory, hint: "run fleet as root or as \(owner.name)")
        }
        return try await disk.run {
            HostInstance(
                name: name, dataDirectory: directory, owner: owner, options: instance.platform,
                majorVersion: try majorVersion(in: directory),
                isAbsent: try status == nil || BlockingDisk.list(directory, followingLinks: true).isEmpty)
        }
    }

    var fileOwner: FileOwner { FileOwner(user: owner.userID, group: owner.groupID) }

    func file(_ name: String) -> String { "\(dataDirectory)/\(name)" }

    /// The first line of `PG_VERSION`: `15`. Blocks.
    static func majorVersion(in directory: String) throws -> String? {
        guard let bytes = try BlockingDisk.readIfPresent("\(directory)/PG_VERSION", limit: 64) else { return nil }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        guard !line.isEmpty, line.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else {
            return nil
        }
        return String(decoding: line, as: UTF8.self)
    }

    private static func absolute(_ path: String, of instance: String) throws -> String {
        guard path.hasPrefix("/") else {
            throw FleetError(.configuration, "the data directory of \(instance), \(path), is not an absolute path")
        }
        var path = Substring(path)
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    /// Where a symbolic link leads, whether or not something is there. Blocks.
    private static func followed(_ path: String) throws -> String {
        var path = path
        for _ in 0..<40 {
            guard try BlockingDisk.status(path)?.kind == .symbolicLink else { return path }
            let target = try BlockingDisk.destination(ofLink: path)
            path = target.hasPrefix("/") ? target : "\(parentPath(of: path))/\(target)"
        }
        throw FleetError(.configuration, "\(path) is a symbolic link in a circle")
    }

    /// Who owns the data directory; where it is missing, who will.
    private static func owner(of instance: Instance, _ status: FileStatus?) async throws -> UserAccount {
        if let status {
            let id = status.owner.user
            do {
                return try await UserAccount.withID(id)
            } catch let error as FleetError where error.code == .notFound {
                let group = status.owner.group
                return UserAccount(name: "\(id)", userID: id, groupID: group, home: "/", groups: [group])
            }
        }
        if let declared = instance.platform.string("owner") {
            do {
                return try await UserAccount.named(declared)
            } catch let error as FleetError where error.code == .notFound {
                throw FleetError(
                    .configuration, "there is no user \(declared), whom the instance \(instance.name) names as owner")
            }
        }
        guard geteuid() == 0 else { return await UserAccount.current() }
        do {
            return try await UserAccount.named("postgres")
        } catch let error as FleetError where error.code == .notFound {
            throw FleetError(
                .configuration, "nobody knows who shall own the data directory of \(instance.name)",
                cause: "it does not exist, and there is no user postgres",
                hint: "set `owner` in the platform block of the instance")
        }
    }
}
