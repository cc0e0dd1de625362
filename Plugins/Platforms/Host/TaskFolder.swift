import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import ProcessRunner

/// All that is kept of a task: `<state>/tasks/<instance>/<key>/`. No secret is ever written there.
///
/// | file | meaning |
/// |---|---|
/// | `spec.json` | it was asked for |
/// | `lock` | held by its supervisor as long as that lives |
/// | `started.json` | its program is about to be started, or was |
/// | `child.json` | the process of the program |
/// | `stdout`, `stderr` | what it wrote |
/// | `outcome.json` | it has ended, and how |
struct TaskFolder: Sendable {
    let path: String

    init(path: String) {
        self.path = path
    }

    /// - Throws: `usage` for names that cannot be those of a folder.
    init(state: String, instance: String, key: String) throws {
        for name in [instance, key] {
            let isPlain = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            guard isPlain, !name.isEmpty, name.utf8.count <= 200, !name.hasPrefix(".") else {
                throw FleetError(.usage, "\(name) cannot be the key of a task", hint: "letters, digits and hyphens")
            }
        }
        path = "\(state)/tasks/\(instance)/\(key)"
    }

    var lock: String { "\(path)/lock" }
    var output: String { "\(path)/stdout" }
    var errors: String { "\(path)/stderr" }
    /// What the supervisor itself has to say.
    var supervisorLog: String { "\(path)/supervisor.log" }

    /// The variable in the environment of every process of the task, by which they are found when nothing was written.
    var marker: (name: String, value: String) { ("FLEET_TASK", path) }

    /// What the supervisor does.
    struct Work: Codable {
        var spec: TaskSpec
        /// Nil: as the user that fleet runs as.
        var user: UserAccount?
    }

    struct Start: Codable {
        var supervisor: ProcessIdentity
        var startedAt: Timestamp
    }

    var work: Work? { get throws { try read("spec.json") } }
    var start: Start? { get throws { try read("started.json") } }
    var child: ProcessIdentity? { get throws { try read("child.json") } }
    var outcome: TaskOutcome? { get throws { try read("outcome.json") } }

    func write(_ work: Work) throws { try write(work, "spec.json") }
    func write(_ start: Start) throws { try write(start, "started.json") }
    func write(_ child: ProcessIdentity) throws { try write(child, "child.json") }
    func write(_ outcome: TaskOutcome) throws { try write(outcome, "outcome.json") }

    /// Removes what an attempt that was lost left behind, the record that there was one last.
    func clear() throws {
        for name in ["child.json", "stdout", "stderr", "supervisor.log", "started.json"] {
            try BlockingDisk.remove("\(path)/\(name)")
        }
    }

    private func read<Value: Decodable>(_ name: String) throws -> Value? {
        guard let bytes = try BlockingDisk.readIfPresent("\(path)/\(name)", limit: 16 << 20) else { return nil }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw FleetError(.corrupted, "\(path)/\(name) cannot be read", cause: "\(error)")
        }
    }

    private func write(_ value: some Encodable, _ name: String) throws {
        let options = WriteOptions(mode: 0o600, directoryMode: 0o700)
        try BlockingDisk.write([UInt8](JSONEncoder().encode(value)), to: "\(path)/\(name)", options)
    }
}
