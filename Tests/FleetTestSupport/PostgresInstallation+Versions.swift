import FoundationEssentials
import Glibc

extension PostgresInstallation {
    /// Major versions whose servers are on this machine: Debian's, and what `scripts/fetch-postgres` has fetched.
    public static let availableMajors: [Int] = (13...18).filter { binaries(of: $0) != nil }

    /// Those that tests of several versions run on: the oldest, the newest and Debian's, or all of them with
    /// `FLEET_TEST_ALL_MAJORS` in the environment.
    public static let testedMajors: [Int] = availableMajors.filter { major in
        ProcessInfo.processInfo.environment["FLEET_TEST_ALL_MAJORS"] != nil || major == availableMajors.first
            || major == availableMajors.last || access("/usr/lib/postgresql/\(major)/bin/initdb", X_OK) == 0
    }

    /// The server of this major version.
    public static func major(_ major: Int) async throws -> PostgresInstallation {
        guard let binaries = binaries(of: major) else {
            throw FixtureError("PostgreSQL \(major) is not here: scripts/fetch-postgres \(major)")
        }
        return try await at(binaries)
    }

    private static func binaries(of major: Int) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            geteuid() == 0
            ? "/var/cache" : environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/nonexistent")/.cache"
        let places = ["/usr/lib/postgresql/\(major)/bin", "\(cache)/fleet/postgres/\(major)/bin"]
        return places.first { access("\($0)/initdb", X_OK) == 0 }
    }
}

/// Lends a real server of a major version.
public func withPostgres<Result>(
    major: Int, _ options: PostgresServer.Options = .init(), _ body: (PostgresServer) async throws -> Result
) async throws -> Result {
    var options = options
    options.installation = try await .major(major)
    return try await withPostgres(options, body)
}
