import DurableFiles
public import FleetPluginAPI
import ProcessRunner

extension HostPlatform {
    public func start(_ instance: Instance, deadline: Duration) async throws {
        let host = try await HostInstance.resolve(instance, on: disk)
        let end = ContinuousClock.now + deadline
        guard !host.isAbsent else {
            throw FleetError(
                .notFound, "the instance \(host.name) has no data to start with",
                cause: "\(host.dataDirectory) is missing or empty")
        }
        var launched: Launched?
        while true {
            let server = try await disk.run { try ServerState.look(host) }
            if isUp(server, launched) { return }
            if let launched {
                try await check(launched, server, host)
            } else if server.state == .stopped {
                launched = try await launch(host)
                continue
            } else if server.processes.postmaster == nil, !server.isListening {
                try refuseOrphans(server, host)
            }
            guard ContinuousClock.now < end else { throw try await lateness(of: server, launched, host, deadline) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// A server that was started, and where its log was then.
    private struct Launched: Sendable {
        /// Nil when systemd started it.
        var process: ProcessIdentity?
        var unit: String?
        var log: String?
        var logSize: Int64
        var at: ContinuousClock.Instant
    }

    /// A pid file that a crash left says "ready" as well: it counts only when it is the postmaster's own.
    private func isUp(_ server: ServerState, _ launched: Launched?) -> Bool {
        guard server.state == .running else { return false }
        return server.ownsPIDFile || launched == nil
    }

    /// Where sockets lie in the data directory, backups hold their lock files, which name processes of another time.
    private static func removeStaleLocks(in directory: String) throws {
        for entry in try BlockingDisk.list(directory)
        where entry.name.hasPrefix(".s.PGSQL.") && entry.name.hasSuffix(".lock") {
            let path = "\(directory)/\(entry.name)"
            let text = String(decoding: try BlockingDisk.read(path, limit: 4096), as: UTF8.self)
            guard let pid = text.split(separator: "\n").first.flatMap({ Int32($0) }) else { continue }
            if ProcessIdentity(pid: pid)?.isAlive != true { try BlockingDisk.remove(path) }
        }
    }

    private func launch(_ host: HostInstance) async throws -> Launched {
        try await disk.run { try Self.removeStaleLocks(in: host.dataDirectory) }
        let log = logFile(of: host)
        let size = try await disk.status(log, followingLinks: true)?.size ?? 0
        if let unit = host.options.string("systemdUnit") {
            _ = try? await Systemd.resetFailed(unit).run()
            try await Systemd.start(unit).checked()
            return Launched(process: nil, unit: unit, log: nil, logSize: 0, at: .now)
        }
        try await prepareLog(log, host)
        let binaries = try await Installation.require(for: host)
        let configFile = try await disk.run { try ServerConfiguration.find(for: host) }
        let launch = ServerLaunch(host, binDirectory: binaries, configFile: configFile)
        let process = try await launch.command(as: host.owner)
            .startDetached(output: .appended(log), errors: .appended(log))
        return Launched(process: process.identity, unit: nil, log: log, logSize: size, at: .now)
    }

    /// Throws when what was launched has ended.
    private func check(_ launched: Launched, _ server: ServerState, _ host: HostInstance) async throws {
        if let unit = launched.unit {
            // systemd forks first: for a moment nothing runs and nothing has failed.
            guard server.state == .stopped, ContinuousClock.now - launched.at > .seconds(1) else { return }
            let state = try await Systemd.state(unit).run().outputText.prefix { !$0.isNewline }
            guard state == "failed" || state == "inactive" else { return }
            throw await failure(host, launched, "systemd says that \(unit) is \(state)")
        }
        // Somebody else's postmaster may have won the race for the data directory: then that one is waited for.
        guard let process = launched.process, !process.isAlive, server.processes.postmaster == nil else { return }
        throw await failure(host, launched, "the server ended while it started")
    }

    private func failure(_ host: HostInstance, _ launched: Launched, _ what: String) async -> FleetError {
        var lines: [String] = []
        if let unit = launched.unit {
            lines = (try? await Systemd.log(unit, lines: 15).checked().outputText).map(LogTail.lines) ?? []
        } else if let log = launched.log {
            lines = (try? await disk.run { try LogTail.read(log, from: launched.logSize, lines: 15) }) ?? []
            lines += (try? await collectorLog(of: host, lines: 15)) ?? []
        }
        return FleetError(
            .failed, "the server of \(host.name) did not start: \(what)",
            cause: lines.isEmpty ? "its log is empty" : lines.joined(separator: "\n"),
            hint: launched.log.map { "the whole log is \($0)" })
    }

    private func refuseOrphans(_ server: ServerState, _ host: HostInstance) throws {
        throw FleetError(
            .conflict, "the server of \(host.name) cannot start beside what is left of the last one",
            cause: server.remarks.joined(separator: "; "), hint: "stop the instance first: that ends them")
    }

    private func lateness(
        of server: ServerState, _ launched: Launched?, _ host: HostInstance, _ deadline: Duration
    ) async throws -> FleetError {
        let tail = (try? await lastLog(of: host, server, lines: 5)) ?? []
        return FleetError(
            .timedOut,
            "the server of \(host.name) does not accept connections after \(DurationText.text(deadline)): "
                + "it is \(server.state.rawValue)",
            cause: (server.remarks + tail).joined(separator: "\n"),
            hint: "it was left as it is; a recovery may need longer")
    }
}
