import DurableFiles
public import FleetPluginAPI
import Glibc
import PostgresFormats
import ProcessRunner

extension HostPlatform {
    public func stop(_ instance: Instance, mode: StopMode, deadline: Duration) async throws {
        let host = try await HostInstance.resolve(instance, on: disk)
        var ending = ServerEnding(host)
        let end = ContinuousClock.now + deadline
        while true {
            let remains = try await disk.run { [ending] in
                var ending = ending
                try ending.look()
                return ending
            }
            ending = remains
            if ending.isOver { return }
            try await signal(&ending, host, mode)
            guard ContinuousClock.now < end else { throw ending.failure(after: deadline, mode) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Tells each postmaster once, and each process that lost its postmaster.
    private func signal(_ ending: inout ServerEnding, _ host: HostInstance, _ mode: StopMode) async throws {
        if let postmaster = ending.postmaster {
            guard ending.told.insert(postmaster).inserted else { return }
            if mode == .fast, let unit = host.options.string("systemdUnit") {
                // systemd would start again what ends behind its back.
                try await Systemd.stop(unit).checked()
            } else {
                // pg_ctl's signals (postmaster.c, PostgreSQL manual 19.5).
                try postmaster.signal(mode == .fast ? SIGINT : SIGQUIT)
                if let unit = host.options.string("systemdUnit") { try await Systemd.stop(unit).checked() }
            }
        } else {
            // What a postmaster that shuts down immediately sends its children.
            for orphan in ending.orphans where ending.told.insert(orphan).inserted { try orphan.signal(SIGQUIT) }
        }
    }
}

/// A server on its way out, and everything of it that has been seen since.
struct ServerEnding: Sendable {
    private let host: HostInstance
    private var server = ServerState(state: .stopped)
    /// Processes the server started: they may still write into its data directory when it is gone.
    private var helpers: Set<ProcessIdentity> = []
    /// Shared memory and socket of the first look: `postmaster.pid` goes before the last process does.
    private var traces: Traces?
    private var attachments = 0
    private var isListening = false
    var told: Set<ProcessIdentity> = []

    private struct Traces: Sendable {
        var key: Int
        var id: Int
    }

    init(_ host: HostInstance) {
        self.host = host
    }

    var postmaster: ProcessIdentity? { server.processes.postmaster.flatMap(Self.identity) }
    var orphans: [ProcessIdentity] { server.processes.others.compactMap(Self.identity) }

    var isOver: Bool { server.isGone && helpers.isEmpty && attachments == 0 }

    /// Looks again; blocks for a moment.
    mutating func look() throws {
        server = try ServerState.look(host)
        if let memory = server.pidFile?.sharedMemory, traces == nil, !server.processes.isEmpty {
            traces = Traces(key: memory.key, id: memory.id)
        }
        attachments = traces.map { ServerTraces.attachments(key: $0.key, id: $0.id) } ?? 0
        let found = ServerProcesses.descendants(of: server.processes.all).filter { !ServerProcesses.isPostgres($0) }
        helpers.formUnion(found.compactMap(Self.identity))
        helpers = helpers.filter(\.isAlive)
    }

    func failure(after deadline: Duration, _ mode: StopMode) -> FleetError {
        var left = server.processes.all.map(ServerProcesses.describe)
        left += helpers.compactMap { ProcessTable.entry($0.pid) }.map(ServerProcesses.describe)
        if attachments > 0 || server.attachments > 0 { left.append("shared memory in use") }
        if server.isListening { left.append("its socket still answers") }
        let frozen = server.processes.all.first { $0.state == "T" || $0.state == "t" }
        let hint =
            if let frozen {
                "a signal has stopped process \(frozen.pid): let it go on with `kill -CONT \(frozen.pid)`"
            } else if mode == .fast {
                "look into the server's log; stop it with mode immediate when it may recover as after a crash"
            } else {
                "look what these processes wait for"
            }
        return FleetError(
            .timedOut, "the server of \(host.name) was not gone within \(DurationText.text(deadline))",
            cause: "left: \(left.joined(separator: "; "))", hint: hint)
    }

    private static func identity(_ entry: ProcessEntry) -> ProcessIdentity? {
        guard let identity = ProcessIdentity(pid: entry.pid), identity.startTicks == entry.startTicks else {
            return nil
        }
        return identity
    }
}
