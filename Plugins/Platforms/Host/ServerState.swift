import DurableFiles
import FleetPluginAPI
import PostgresFormats
import ProcessRunner

/// What is so with a server now, from processes, `postmaster.pid`, shared memory and socket together.
struct ServerState: Sendable {
    var state: ProcessObservation.State
    var processes = ServerProcesses()
    /// `postmaster.pid`, stale or not; nil when there is none.
    var pidFile: PostmasterPID?
    /// Processes attached to the shared memory that `postmaster.pid` names.
    var attachments = 0
    /// Somebody accepts connections on the socket that `postmaster.pid` names, and says it is for this data directory.
    var isListening = false
    var remarks: [String] = []

    /// No process, no shared memory, no socket.
    var isGone: Bool { processes.isEmpty && attachments == 0 && !isListening }

    /// The pid file is the postmaster's own, not one that a crash left behind.
    var ownsPIDFile: Bool {
        guard let pidFile, let postmaster = processes.postmaster else { return false }
        return pidFile.pid == postmaster.pid
    }

    /// Looks; blocks for a moment.
    static func look(_ host: HostInstance) throws -> ServerState {
        guard !host.isAbsent else { return ServerState(state: .absent) }
        var result = ServerState(state: .stopped)
        // The file first: a postmaster that starts meanwhile is then seen without its file, which means "starting".
        result.pidFile = try BlockingDisk.readIfPresent(host.file("postmaster.pid"), limit: 65_536)
            .flatMap { PostmasterPID($0) }
        result.processes = try ServerProcesses.find(in: host.dataDirectory)
        if let memory = result.pidFile?.sharedMemory {
            result.attachments = ServerTraces.attachments(key: memory.key, id: memory.id)
        }
        if let port = result.pidFile?.port, let directory = result.pidFile?.socketDirectory {
            result.isListening =
                try lockNames(host.dataDirectory, port: Int(port), in: directory)
                && ServerTraces.isListening(port: Int(port), in: directory)
        }
        result.judge()
        return result
    }

    /// Line 2 of the socket's lock file is the data directory of whoever listens there (miscinit.c).
    private static func lockNames(_ dataDirectory: String, port: Int, in directory: String) throws -> Bool {
        let path = ServerTraces.socketPath(port: port, in: directory) + ".lock"
        guard let bytes = try? BlockingDisk.readIfPresent(path, limit: 65_536) else { return false }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 1, let named = try BlockingDisk.status(String(lines[1]), followingLinks: true),
            let own = try BlockingDisk.status(dataDirectory, followingLinks: true)
        else { return false }
        return named.device == own.device && named.inode == own.inode
    }

    private mutating func judge() {
        if let postmaster = processes.postmaster {
            judge(postmaster)
        } else if !processes.others.isEmpty {
            state = .stopping
            let names = processes.others.map(ServerProcesses.describe).joined(separator: ", ")
            remarks.append("the postmaster is dead and still attached are: \(names)")
        } else if isListening {
            state = .running
            remarks.append("its socket answers, but its processes cannot be seen from here")
        } else if attachments > 0 {
            state = .stopping
            remarks.append(
                "its shared memory is still attached by \(attachments) processes that cannot be seen from here")
        } else if let pidFile {
            remarks.append("postmaster.pid was left behind by process \(pidFile.pid), which is gone")
        }
    }

    private mutating func judge(_ postmaster: ProcessEntry) {
        if postmaster.state == "T" || postmaster.state == "t" {
            remarks.append("process \(postmaster.pid) is stopped by a signal and does nothing")
        }
        guard ownsPIDFile, let pidFile else {
            // Written early and removed last, so its owner has only just begun or has nearly ended.
            let isYoung = ProcessTable.age(of: postmaster).map { $0 < .seconds(10) } ?? true
            state = isYoung ? .starting : .stopping
            return
        }
        guard !pidFile.isSingleUser else {
            state = .running
            remarks.append("process \(postmaster.pid) runs in single-user mode")
            return
        }
        switch pidFile.status {
        case .ready: state = .running
        case .standby:
            state = .running
            remarks.append("it is in recovery and accepts no connections (hot_standby is off)")
        case .stopping: state = .stopping
        case .starting, nil: state = .starting
        }
    }
}
