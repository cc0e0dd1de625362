import FleetPluginAPI
import ProcessRunner

/// The processes of an application, found in the table of processes: by their environment, and by the sessions that
/// the supervisor wrote down.
struct ApplicationProcesses: Sendable {
    /// Of each copy, by its number; what cannot be told to belong to one is under -1.
    var copies: [Int: [ProcessEntry]] = [:]

    var all: [ProcessEntry] { copies.values.flatMap { $0 } }
    var identities: [ProcessIdentity] {
        all.compactMap { entry in
            ProcessIdentity(pid: entry.pid).flatMap { $0.startTicks == entry.startTicks ? $0 : nil }
        }
    }

    /// Reads the table of processes; blocks for a moment.
    static func find(_ folder: ApplicationFolder, _ status: ApplicationFolder.Status?) -> ApplicationProcesses {
        var result = ApplicationProcesses()
        var seen: Set<Int32> = []
        for entry in ProcessTable.all(withVariable: ApplicationFolder.marker, folder.path) {
            guard seen.insert(entry.pid).inserted else { continue }
            let number = ProcessTable.variable(ApplicationFolder.copyMarker, of: entry.pid).flatMap { Int($0) }
            result.copies[number ?? -1, default: []].append(entry)
        }
        // One that has ended since, or was just starting a program, had no environment to be read.
        for entry in result.copies.removeValue(forKey: -1) ?? [] {
            guard let now = ProcessTable.entry(entry.pid), now.isAlive, now.startTicks == entry.startTicks else {
                continue
            }
            let number = result.copies.first { $0.value.contains { $0.session == entry.session } }?.key
            result.copies[number ?? -1, default: []].append(entry)
        }
        for copy in status?.copies ?? [] {
            for member in copy.leader.sessionMembers() where seen.insert(member.pid).inserted {
                guard let entry = ProcessTable.entry(member.pid) else { continue }
                result.copies[copy.number, default: []].append(entry)
            }
        }
        return result
    }

    /// The oldest process of a copy that leads a session.
    func leader(of number: Int) -> ProcessEntry? {
        copies[number]?.filter { $0.session == $0.pid }.min { $0.startTicks < $1.startTicks }
    }
}
