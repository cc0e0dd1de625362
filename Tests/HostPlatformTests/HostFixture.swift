import FleetPluginAPI
import FleetTestSupport
import Glibc
import HostPlatform

/// A stopped server, and platforms that share a state directory, as one coordinator after another has them.
struct HostFixture: Sendable {
    let scratch: ScratchDirectory
    let server: PostgresServer
    let instance: Instance
    let state: String
    let options: PluginOptions

    static let secret = "correct-horse-battery-staple"

    init(_ scratch: ScratchDirectory, _ options: PostgresServer.Options = .init()) async throws {
        self.scratch = scratch
        server = try await PostgresServer.create(in: scratch, options)
        state = try scratch.directory("state", mode: 0o700)
        // A place that the owner of the servers can enter, unlike the state of a fleet that runs as root.
        self.options = PluginOptions(["scratchDirectory": .string(try scratch.directory("scratches"))])
        instance = Instance(
            name: "orders", cluster: "local", environment: "dev",
            platform: PluginOptions(["dataDirectory": .string(server.dataDirectory)]))
    }

    func platform() throws -> HostPlatform {
        let context = PluginContext(
            name: "local", stateDirectory: state,
            agent: AgentInvocation(
                executable: try BuiltProgram.path("fleet-test-agent"), configuration: "/nonexistent"),
            resolve: { _ in Secret(Self.secret) })
        return try HostPlatform(context: context, options: options)
    }

    /// Lends a fixture; tasks that a failed test left running are ended, and the server is stopped.
    static func lend(
        _ options: PostgresServer.Options = .init(), _ body: (HostFixture) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            let fixture = try await HostFixture(scratch, options)
            scratch.onCleanUp { await fixture.endTasks() }
            try await body(fixture)
        }
    }

    private func endTasks() async {
        let marker = "FLEET_TASK=\(state)/tasks/"
        for pid in Self.processes(withText: marker, in: "environ") { kill(pid, SIGKILL) }
    }

    /// Processes whose `/proc` file holds a text.
    static func processes(withText text: String, in file: String) -> [Int32] {
        let result = (try? listing("/proc")) ?? []
        return result.compactMap { Int32($0) }.filter {
            $0 != getpid() && contents("/proc/\($0)/\(file)").contains(text)
        }
    }

    static func contents(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func listing(_ path: String) throws -> [String] {
        guard let directory = opendir(path) else { throw FixtureError("cannot list \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }
    }
}
