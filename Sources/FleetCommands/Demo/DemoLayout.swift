import DurableFiles
import FleetPluginAPI
import ProcessRunner

/// Where the demo keeps everything: one directory, which the user that runs PostgreSQL can reach.
struct DemoLayout: Sendable {
    /// As fleet.yaml names it: `.fleet/demo` beside it.
    let directory: String
    /// The same place without links.
    let place: String
    let owner: UserAccount
    let binDirectory: String

    static let environments = ["prod", "dev"]

    func data(_ environment: String) -> String { "\(place)/\(environment)/data" }
    func home(_ environment: String) -> String { "\(place)/\(environment)" }
    var repository: String { "\(place)/repository" }
    var agents: String { "\(place)/agents" }

    /// The directory of the Unix sockets; their paths may have 107 bytes, so a deep place needs another.
    func sockets(_ environment: String) -> String {
        let inside = home(environment)
        return inside.utf8.count <= 80 ? inside : "/tmp/fleet-demo-\(TemporaryDirectory.tag(of: inside))"
    }
}

extension DemoLayout {
    /// Finds PostgreSQL and a user to run it, and chooses the place.
    ///
    /// - Throws: `notFound` when PostgreSQL is not installed, `denied` when root finds no user to run it.
    static func prepare(beside configuration: String) async throws -> DemoLayout {
        let folder = configuration.parentPath
        let directory = "\(folder)/.fleet/demo"
        let current = await UserAccount.current()
        let owner = current.userID == 0 ? try await serverUser() : current
        let place = try await TemporaryDirectory.reachable(directory, by: owner, isRoot: current.userID == 0)
        return DemoLayout(directory: directory, place: place, owner: owner, binDirectory: try findPostgreSQL())
    }

    private static func serverUser() async throws -> UserAccount {
        do {
            return try await UserAccount.named("postgres")
        } catch {
            throw FleetError(
                .denied, "PostgreSQL does not run as root, and there is no user postgres",
                hint: "install Debian's postgresql package, or run the demo as an ordinary user")
        }
    }

    private static func findPostgreSQL() throws -> String {
        for version in (13...18).reversed() {
            let directory = "/usr/lib/postgresql/\(version)/bin"
            if try BlockingDisk.status("\(directory)/postgres", followingLinks: true) != nil { return directory }
        }
        if let found = ExecutableSearch.find("initdb") { return found.parentPath }
        throw FleetError(
            .notFound, "PostgreSQL 13 to 18 is not installed here", hint: "apt-get install postgresql")
    }
}

extension String {
    /// The folder that a path lies in.
    var parentPath: String {
        let parts = split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return parts.count <= 1 ? "/" : parts.joined(separator: "/")
    }
}
