import DurableFiles
public import FleetPluginAPI
import ProcessRunner

extension HostPlatform {
    public func recentLog(of instance: Instance, lines: Int) async throws -> [String] {
        let host = try await HostInstance.resolve(instance, on: disk)
        let server = try await disk.run { try ServerState.look(host) }
        return try await lastLog(of: host, server, lines: lines)
    }

    /// The end of whichever of the server's logs was written to last.
    func lastLog(of host: HostInstance, _ server: ServerState, lines: Int) async throws -> [String] {
        let own = logFile(of: host)
        let newest = try await disk.run {
            var candidates = [own]
            candidates += standardError(of: server)
            candidates += try collectorLogs(of: host)
            candidates += debianLogs(of: host)
            let found = candidates.compactMap { path in
                (try? BlockingDisk.status(path, followingLinks: true)).flatMap { $0.map { (path, $0) } }
            }
            return found.filter { $0.1.kind == .file && $0.1.size > 0 }.max { $0.1.modified < $1.1.modified }?.0
        }
        if let newest { return try await disk.run { try LogTail.read(newest, lines: lines) } }
        guard let unit = host.options.string("systemdUnit") else { return [] }
        return LogTail.lines(try await Systemd.log(unit, lines: lines).checked().outputText)
    }

    /// What the logging collector of the server writes.
    func collectorLog(of host: HostInstance, lines: Int) async throws -> [String] {
        try await disk.run { try collectorLogs(of: host).flatMap { try LogTail.read($0, lines: lines) } }
    }

    /// What a server that fleet starts writes to stderr.
    func logFile(of host: HostInstance) -> String {
        host.options.string("logFile") ?? "\(context.stateDirectory)/logs/\(host.name).log"
    }

    /// Makes the log the owner's, so that a server started without fleet can go on with it.
    func prepareLog(_ path: String, _ host: HostInstance) async throws {
        try await disk.run {
            guard try BlockingDisk.status(path, followingLinks: true) == nil else { return }
            do {
                try BlockingDisk.write([], to: path, WriteOptions(replaces: false, owner: host.fileOwner))
            } catch let error as FleetError where error.code == .alreadyExists {}
        }
    }

    /// `current_logfiles` in the data directory: a line for each format, `stderr log/postgresql-….log`
    /// (PostgreSQL manual 9.26, pg_current_logfile).
    private func collectorLogs(of host: HostInstance) throws -> [String] {
        guard let bytes = try BlockingDisk.readIfPresent(host.file("current_logfiles"), limit: 65_536) else {
            return []
        }
        let files = LogTail.lines(String(decoding: bytes, as: UTF8.self)).compactMap { line -> (String, String)? in
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            return words.count == 2 ? (words[0], words[1]) : nil
        }
        let chosen = files.first { $0.0 == "stderr" } ?? files.first { $0.0 == "jsonlog" } ?? files.first
        return chosen.map { [$0.1.hasPrefix("/") ? $0.1 : host.file($0.1)] } ?? []
    }

    /// Where a running server's stderr goes, when that is a file.
    private func standardError(of server: ServerState) -> [String] {
        guard let pid = server.processes.postmaster?.pid,
            let path = try? BlockingDisk.destination(ofLink: "/proc/\(pid)/fd/2"),
            path.hasPrefix("/"), !path.hasPrefix("/dev/")
        else { return [] }
        return [path]
    }

    /// Debian's pg_ctlcluster: `/var/log/postgresql/postgresql-15-main.log` for `/etc/postgresql/15/main`.
    private func debianLogs(of host: HostInstance) -> [String] {
        guard let file = try? ServerConfiguration.find(for: host) else { return [] }
        let parts = file.split(separator: "/").map(String.init)
        guard parts.count == 5, parts[0] == "etc", parts[1] == "postgresql" else { return [] }
        return ["/var/log/postgresql/postgresql-\(parts[2])-\(parts[3]).log"]
    }
}
