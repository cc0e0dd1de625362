import FleetPluginAPI
import FleetTestSupport
import Glibc
import ProcessRunner
import ProcessScaler

/// An application of a shell script, and scalers that share a state directory, as one coordinator after another has
/// them.
struct ApplicationFixture: Sendable {
    let scratch: ScratchDirectory
    let options: PluginOptions

    static let name = "web"

    /// Lends a fixture; everything the application started is ended, its supervisors first.
    static func lend(
        script: String = "sleep 1000", _ more: [String: JSONValue] = [:],
        _ body: (ApplicationFixture) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            let values: [String: JSONValue] = [
                "command": ["/bin/sh", "-c", .string(script)], "count": 3, "startSeconds": 0,
            ]
            let fixture = ApplicationFixture(
                scratch: scratch, options: PluginOptions(values.merging(more) { $1 }))
            scratch.onCleanUp { fixture.end() }
            try await body(fixture)
        }
    }

    func scaler(_ options: PluginOptions? = nil) throws -> ProcessScaler {
        let context = PluginContext(
            name: Self.name, stateDirectory: scratch.path("state"),
            agent: AgentInvocation(
                executable: try BuiltProgram.path("fleet-test-agent"), configuration: "/nonexistent"),
            resolve: { _ in throw FleetError(.notFound, "an application has no secrets") })
        return try ProcessScaler(context: context, options: options ?? self.options)
    }

    func start(_ count: Int) async throws {
        try await scaler().setDesired(count)
        try await waitFor(running: count)
    }

    func waitFor(running count: Int) async throws {
        try await waitUntil("\(count) copies run") {
            let now = try await scaler().observe()
            return now.running == count && now.ready == count && now.desired == count
        }
    }

    private var folder: String { "\(scratch.path("state"))/applications/\(Self.name)" }

    /// Everything the application runs, found by what it inherits.
    func processes() -> [ProcessEntry] {
        ProcessTable.all(withVariable: "FLEET_APPLICATION", folder)
    }

    /// The first process of each copy.
    func leaders() -> [ProcessIdentity] {
        processes().filter { $0.pid == $0.session && $0.name == "sh" }.compactMap { ProcessIdentity(pid: $0.pid) }
    }

    func supervisors() -> [ProcessIdentity] {
        ProcessTable.all().filter {
            $0.isAlive && ProcessTable.arguments($0.pid).suffix(2) == ["supervise-application", folder]
        }
        .compactMap { ProcessIdentity(pid: $0.pid) }
    }

    func killSupervisor() async throws {
        for supervisor in supervisors() {
            try supervisor.signal(SIGKILL)
            try await supervisor.waitGone(deadline: .seconds(10))
        }
    }

    private func end() {
        for process in supervisors() { kill(process.pid, SIGKILL) }
        for process in processes() { kill(process.pid, SIGKILL) }
    }
}
