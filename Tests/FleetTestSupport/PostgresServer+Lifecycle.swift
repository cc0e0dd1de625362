import FoundationEssentials
import Glibc
import Synchronization

extension PostgresServer {
    /// How a server is asked to stop: `pg_ctl stop -m`.
    public enum StopMode: Sendable {
        case smart, fast, immediate

        var signal: Int32 {
            switch self {
            case .smart: SIGTERM
            case .fast: SIGINT
            case .immediate: SIGQUIT
            }
        }
    }

    /// Starts the server and waits until it takes connections (a standby: read-only ones; without hot standby: until
    /// it replays). Throws with the end of the log when it ends instead.
    public func start(deadline: Duration = .seconds(60)) async throws {
        try await launch()
        try await waitUntil("the server is ready", deadline: deadline) {
            guard self.isLaunched else {
                throw FixtureError("the server in \(self.dataDirectory) ended:\n\(self.log().suffix(3000))")
            }
            // A crash leaves a pid file that still says "ready".
            guard self.pid == self.child.withLock({ $0 })?.pid else { return false }
            return self.status == "ready" || self.status == "standby"
        }
    }

    /// Starts the server and does not wait.
    public func launch() async throws {
        let settings =
            commandLine.isEmpty && configuredPort == port
            ? [] : baseSettings.merging(commandLine) { $1 }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        let owner = installation.owner
        let credentials = owner.isOther ? ["--reuid", owner.name, "--regid", "\(owner.gid)", "--init-groups"] : []
        let started = try await ChildProcess.start(
            ["setpriv", "--pdeathsig", "QUIT"] + credentials
                + ["--", installation.program("postgres"), "-D", dataDirectory] + settings,
            environment: PostgresInstallation.environment(), directory: dataDirectory, output: logFile)
        child.withLock { $0 = started }
    }

    /// Whether the process that `start` or `launch` started lives.
    public var isLaunched: Bool { child.withLock { $0 }?.isRunning ?? false }

    /// The postmaster's process id according to `postmaster.pid`; nil when there is none or it is dead.
    public var pid: Int32? {
        guard let first = pidFile.first, let pid = pid_t(first), kill(pid, 0) == 0 || errno == EPERM else { return nil }
        return pid
    }

    public var isRunning: Bool { pid != nil }

    /// Stops the server, whoever started it, and waits until its process is gone. Nothing happens when none runs.
    public func stop(_ mode: StopMode = .fast, deadline: Duration = .seconds(60)) async throws {
        guard let pid else { return }
        kill(pid, mode.signal)
        try await waitUntil("the server has stopped", deadline: deadline) { !self.isRunning }
        if let child = child.withLock({ $0 }), child.pid == pid { _ = await child.wait() }
    }

    /// Kills the postmaster with SIGKILL, as a crash would, and waits until its children are gone too.
    public func crash() async throws {
        guard let pid else { return }
        kill(pid, SIGKILL)
        if let child = child.withLock({ $0 }), child.pid == pid { _ = await child.wait() }
        // Each child notices its postmaster's death by itself; shared memory is free once nobody is attached.
        try await waitUntil("the server's processes are gone", deadline: .seconds(30)) {
            !Self.processes(in: self.dataDirectory)
        }
    }

    public func restart(_ mode: StopMode = .fast) async throws {
        try await stop(mode)
        try await start()
    }

    /// Makes the server read its configuration again.
    public func reload() {
        if let pid { kill(pid, SIGHUP) }
    }

    /// Freezes every process of the server with SIGSTOP, or thaws it: a server that hangs.
    public func freeze(_ frozen: Bool) {
        for pid in Self.pids(in: dataDirectory) { kill(pid, frozen ? SIGSTOP : SIGCONT) }
    }

    public func log() -> String { String(decoding: contents(logFile), as: UTF8.self) }

    func stopForGood() async {
        freeze(false)
        do {
            try await stop(.immediate, deadline: .seconds(10))
        } catch {
            for pid in Self.pids(in: dataDirectory) { kill(pid, SIGKILL) }
        }
        child.withLock { $0 }?.signal(SIGKILL)
    }

    /// What the postmaster says of itself in line 8 of its pid file: `starting`, `stopping`, `ready` or `standby`.
    public var status: String? {
        let lines = pidFile
        guard lines.count >= 8 else { return nil }
        return String(lines[7].prefix { $0 != " " })
    }

    private var pidFile: [String] {
        String(decoding: contents("\(dataDirectory)/postmaster.pid"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private var configuredPort: Int? {
        String(decoding: contents("\(dataDirectory)/postgresql.conf"), as: UTF8.self).split(separator: "\n")
            .last { $0.hasPrefix("port = '") }.flatMap { Int($0.dropFirst(8).dropLast()) }
    }

    /// Every process whose working directory is the data directory: PostgreSQL's all are.
    static func pids(in directory: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")) == directory
        }
    }

    private static func processes(in directory: String) -> Bool { !pids(in: directory).isEmpty }
}

/// Polls until `condition` holds; throws when it does not within `deadline`.
public func waitUntil(
    _ what: String, deadline: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + deadline
    while try await !condition() {
        guard ContinuousClock.now < end else { throw FixtureError("waited \(deadline) until \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
