import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner

/// Where PostgreSQL's programs of one major version are.
enum Installation {
    /// The declared directory, else that of the running postmaster, else the first that has this major version in the
    /// places of Debian and of the PostgreSQL project's own packages, `pg_config`'s and `PATH`; nil when the version
    /// is not known or nowhere found.
    static func find(for host: HostInstance, running: ProcessEntry?) async throws -> String? {
        if let declared = host.options.string("binDirectory") {
            guard isExecutable("\(declared)/postgres") else {
                throw FleetError(
                    .configuration, "there is no program postgres in \(declared)",
                    cause: "binDirectory of the instance \(host.name)", hint: "name the folder that holds postgres")
            }
            return declared
        }
        if let running, let path = ProcessTable.executable(running.pid), let slash = path.lastIndex(of: "/") {
            return String(path[..<slash])
        }
        guard let major = host.majorVersion else { return nil }
        return try await find(major: major)
    }

    /// The same, or an error that says where it was looked for.
    static func require(for host: HostInstance) async throws -> String {
        if let found = try await find(for: host, running: nil) { return found }
        let version = host.majorVersion.map { "PostgreSQL \($0)" } ?? "PostgreSQL"
        throw FleetError(
            .notFound, "\(version) for the instance \(host.name) is not installed where fleet looks",
            cause: host.majorVersion == nil ? "\(host.dataDirectory) has no PG_VERSION" : nil,
            hint: "install it, or set `binDirectory` in the platform block of the instance")
    }

    static func find(major: String) async throws -> String? {
        for directory in ["/usr/lib/postgresql/\(major)/bin", "/usr/pgsql-\(major)/bin"]
        where isExecutable("\(directory)/postgres") {
            return directory
        }
        var others: [String] = []
        if let answer = try? await Command(["pg_config", "--bindir"], deadline: .seconds(10)).checked() {
            others += answer.outputText.split(separator: "\n").prefix(1).map(String.init)
        }
        others += (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":").map(String.init)
        for directory in others where directory.hasPrefix("/") && isExecutable("\(directory)/postgres") {
            let command = Command(["\(directory)/postgres", "--version"], deadline: .seconds(10))
            guard let answer = try? await command.checked() else { continue }
            if self.major(inVersion: answer.outputText) == major { return directory }
        }
        return nil
    }

    /// `15` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    static func major(inVersion text: String) -> String? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let number = words.first(where: { $0.first?.isNumber == true }) else { return nil }
        return String(number.prefix(while: \.isNumber))
    }

    private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
}
