import FleetPluginAPI
import FleetTestSupport
import Foundation

/// A `fleet` command that is still at work, watched through the lines it writes.
final class RunningFleet: Sendable {
    let child: ChildProcess
    private let lines: String

    init(_ arguments: [String], in scratch: ScratchDirectory) async throws {
        lines = scratch.path("fleet-\(UInt32.random(in: .min ... .max)).log")
        child = try await ChildProcess.start(arguments, directory: "/", output: lines)
    }

    /// What it has written so far, on standard output and standard error.
    var text: String { (try? String(contentsOfFile: lines, encoding: .utf8)) ?? "" }

    /// Waits until it has begun the step of this title, or ends; says whether it has.
    @discardableResult
    func reaches(_ title: String) async throws -> Bool {
        try await writes("› \(title)")
    }

    /// Waits until it has written this, or ends; says whether it has.
    @discardableResult
    func writes(_ words: String) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(60)
        while !text.contains(words) {
            guard child.isRunning else { return text.contains(words) }
            guard ContinuousClock.now < end else { throw FixtureError("waited a minute for: \(words)\n\(text)") }
            try await Task.sleep(for: .milliseconds(2))
        }
        return true
    }

    /// SIGKILL, as from a machine that loses power.
    func kill() async {
        child.signal(9)
        _ = await child.wait()
    }
}

extension FleetFixture {
    /// Starts `fleet` and does not wait.
    func launch(_ arguments: String...) async throws -> RunningFleet {
        try await launch(arguments)
    }

    func launch(_ arguments: [String]) async throws -> RunningFleet {
        try await RunningFleet([Self.binary] + arguments + ["--verbose", "--config", configuration], in: scratch)
    }

    /// The runs of a kind, the newest first.
    func runs(_ kind: String) async throws -> [JSONValue] {
        let all = try await json("runs", "list", "--limit", "100")["runs"]?.array ?? []
        return all.filter { $0["kind"]?.string == kind }
    }

    /// The id of the newest run of a kind.
    func run(_ kind: String = "restore") async throws -> String {
        guard let id = try await runs(kind).first?["id"]?.string else { throw FixtureError("there is no \(kind) run") }
        return id
    }

    /// The timeline that a server writes to; pg_control's lags behind until the checkpoint after a promotion.
    func timeline(_ instance: String = "orders") async throws -> Int {
        let name = try await server(instance).value("select pg_walfile_name(pg_current_wal_insert_lsn())")
        return Int(name.prefix(8), radix: 16) ?? 0
    }

    func state(of run: String) async throws -> String {
        try await json("runs", "show", run)["run"]?["state"]?.string ?? ""
    }

    /// How many of an application are wanted, run and are ready, and the run that has taken it down.
    func scale(_ application: String = "web") async throws -> String {
        let all = try await json("applications", "list")["applications"]?.array ?? []
        let scale = all.first { $0["name"]?.string == application }?["scale"]
        let counts = ["desired", "running", "ready"].map { scale?[$0]?.integer.map { "\($0)" } ?? "?" }
        return counts.joined(separator: "/") + (scale?["takenDownBy"]?.string.map { " down by \($0)" } ?? "")
    }

    /// Tasks whose outcome nobody has taken, and processes of fleet's other than the supervisors of applications.
    func leftovers() -> [String] {
        let files = FileManager.default
        let tasks = scratch.path("state/tasks")
        let kept = ((try? files.contentsOfDirectory(atPath: tasks)) ?? []).flatMap { instance in
            ((try? files.contentsOfDirectory(atPath: "\(tasks)/\(instance)")) ?? []).map { "task \(instance)/\($0)" }
        }
        let processes = ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid -> String? in
            guard Int(pid) != nil, let line = files.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            let isOurs = words.first?.hasSuffix("/fleet") == true && words.contains { $0.hasPrefix(scratch.path + "/") }
            return isOurs && !words.contains("supervise-application") ? "process \(words)" : nil
        }
        return kept + processes
    }
}
