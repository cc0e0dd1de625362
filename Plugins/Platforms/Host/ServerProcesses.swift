import DurableFiles
import ProcessRunner

/// The processes of PostgreSQL that work in a data directory, whatever `postmaster.pid` says.
///
/// PostgreSQL's processes never leave their data directory (`ChangeToDataDir` in miscinit.c), so their working
/// directory tells whose they are, after a rename and through symbolic links too.
struct ServerProcesses: Sendable {
    var postmaster: ProcessEntry?
    /// Backends, walsenders, archiver, …: everything but the postmaster.
    var others: [ProcessEntry] = []

    var all: [ProcessEntry] { (postmaster.map { [$0] } ?? []) + others }
    var isEmpty: Bool { postmaster == nil && others.isEmpty }

    /// Reads the table of processes; blocks for a moment.
    static func find(in dataDirectory: String) throws -> ServerProcesses {
        guard let place = try BlockingDisk.status(dataDirectory, followingLinks: true) else { return ServerProcesses() }
        let entries = ProcessTable.all().filter { $0.isAlive && isPostgres($0) && works($0, in: place) }
        return ServerProcesses(entries)
    }

    init() {}

    /// The postmaster is the one that nobody of them started and that has not taken a child's title. Orphans of a
    /// postmaster that was killed have titles.
    private init(_ entries: [ProcessEntry]) {
        let pids = Set(entries.map(\.pid))
        postmaster = entries.first { entry in
            !pids.contains(entry.parent) && ProcessTable.arguments(entry.pid).first?.hasPrefix("postgres: ") == false
        }
        others = entries.filter { $0 != postmaster }.sorted { $0.pid < $1.pid }
    }

    /// Processes that these started, in any generation: an `archive_command` that is still copying.
    static func descendants(of entries: [ProcessEntry]) -> [ProcessEntry] {
        var children: [Int32: [ProcessEntry]] = [:]
        for entry in ProcessTable.all() where entry.isAlive { children[entry.parent, default: []].append(entry) }
        var seen = Set(entries.map(\.pid))
        var queue = entries
        var found: [ProcessEntry] = []
        while let entry = queue.popLast() {
            for child in children[entry.pid] ?? [] where seen.insert(child.pid).inserted {
                found.append(child)
                queue.append(child)
            }
        }
        return found
    }

    static func isPostgres(_ entry: ProcessEntry) -> Bool {
        guard let path = ProcessTable.executable(entry.pid), let slash = path.lastIndex(of: "/") else { return false }
        return ["postgres", "postmaster", "edb-postgres"].contains(path[path.index(after: slash)...])
    }

    private static func works(_ entry: ProcessEntry, in place: FileStatus) -> Bool {
        guard let directory = try? BlockingDisk.status("/proc/\(entry.pid)/cwd", followingLinks: true) else {
            return false
        }
        return directory.device == place.device && directory.inode == place.inode
    }

    /// For people: `process 4711 (postgres: archiver), stopped by a signal`.
    static func describe(_ entry: ProcessEntry) -> String {
        let title = ProcessTable.arguments(entry.pid).first?.split(separator: "\n").first.map(String.init) ?? entry.name
        let state =
            switch entry.state {
            case "T", "t": ", stopped by a signal"
            case "D": ", waiting for a disk"
            default: ""
            }
        return "process \(entry.pid) (\(title))\(state)"
    }
}
