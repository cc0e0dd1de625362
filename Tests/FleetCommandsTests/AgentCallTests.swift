@testable import FleetCommands
import FleetPluginAPI
import FleetPluginHost
import FleetTestSupport
import Synchronization
import Testing

@Suite("The agent's command line")
struct AgentCallTests {
    @Test("is taken apart as platforms and PostgreSQL write it")
    func parse() throws {
        let invocation = AgentInvocation(executable: "/usr/bin/fleet", configuration: "/etc/fleet.yaml")
        let words = invocation.argv("wal-push", instance: "orders", ["pg_wal/000000010000000000000001"])
        let call = try #require(AgentCall(Array(words.dropFirst())))
        #expect(call.configuration == "/etc/fleet.yaml")
        #expect(call.verb == "wal-push")
        #expect(call.instance == "orders")
        #expect(call.arguments == ["pg_wal/000000010000000000000001"])
        let hidden = try #require(AgentCall(Array(invocation.internalArgv("supervise", ["--x", "y"]).dropFirst())))
        #expect(hidden.verb == "supervise")
        #expect(hidden.instance == nil)
        #expect(hidden.arguments == ["--x", "y"])
    }

    @Test("both forms of an option are taken")
    func forms() throws {
        let call = try #require(AgentCall(["--config=/f", "agent", "wal-get", "--instance=orders", "a", "b"]))
        #expect(call.configuration == "/f")
        #expect(call.instance == "orders")
        #expect(call.arguments == ["a", "b"])
    }

    @Test(
        "anything else is left to the parser of the whole program",
        arguments: [
            [], ["status"], ["agent"], ["agent", "--help"], ["agent", "wal-push", "--help"],
            ["-o", "json", "agent", "x"],
        ])
    func others(_ words: [String]) {
        #expect(AgentCall(words) == nil)
    }

    @Test("a fault before the verb has its say is never taken for the end of the archive")
    func faults() async throws {
        let calls = [
            ["--config", "/does/not/exist.yaml", "agent", "wal-get", "--instance", "orders", "f", "p"],
            ["agent", "no-such-verb", "--instance", "orders"], ["agent", "wal-get", "f", "p"],
        ]
        for words in calls {
            let status = await (try #require(AgentCall(words))).run(Self.registry { _, _ in 0 })
            #expect(status > 125, "\(words)")
        }
    }

    @Test("the verb gets the instance and its repositories, and nothing but the configuration is opened")
    func context() async throws {
        try await withScratch { scratch in
            try await self.call(with: try scratch.write(Self.configuration, to: "fleet.yaml"))
        }
    }

    private func call(with path: String) async throws {
        let seen = Mutex<[String]>([])
        let registry = Self.registry { context, arguments in
            seen.withLock {
                $0 =
                    [context.instance.name, context.instance.environment] + context.repositories.map(\.name) + arguments
            }
            return 7
        }
        let call = try #require(AgentCall(["--config", path, "agent", "wal-get", "--instance", "orders", "f", "p"]))
        #expect(await call.run(registry) == 7)
        #expect(seen.withLock { $0 } == ["orders", "prod", "local", "f", "p"])
        let unknown = try #require(AgentCall(["--config", path, "agent", "wal-get", "--instance", "order", "f", "p"]))
        #expect(await unknown.run(registry) == AgentCall.fault)
    }

    private static let configuration = """
        apiVersion: fleet/v1
        kind: Fleet
        clusters: {prod: {environment: prod, platform: {plugin: host}}}
        repositories: {local: {storage: {plugin: directory}}}
        instances:
          orders: {cluster: prod, platform: {}, engine: {plugin: native}, repositories: [local]}
        """

    /// Plugins that fail hard when they are made, but for the storage.
    private static func registry(
        _ run: @escaping @Sendable (AgentContext, [String]) async -> Int32
    ) -> PluginRegistry {
        var registry = PluginRegistry()
        let verb = AgentVerb(name: "wal-get", summary: "Fetch", usage: "%f %p", run: run)
        registry.addEngine(descriptor(.engine, "native"), verbs: [verb]) { _, _ in
            throw FleetError(.failed, "the engine was made")
        }
        registry.addPlatform(descriptor(.platform, "host")) { _, _ in throw FleetError(.failed, "the platform was made")
        }
        registry.addStorage(descriptor(.storage, "directory")) { _, _ in NoStorage() }
        return registry
    }

    private static func descriptor(_ role: PluginRole, _ name: String) -> PluginDescriptor {
        PluginDescriptor(role: role, name: name, version: "1", summary: name)
    }
}

/// Says of everything that it was asked.
private struct NoStorage: Storage {
    private static let asked = FleetError(.failed, "the storage was asked")

    var features: StorageFeatures { StorageFeatures(conditionalCreate: true) }
    func prepare() async throws { throw Self.asked }
    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws { throw Self.asked }
    func get(_ key: String, range: Range<Int64>?) async throws -> [UInt8] { throw Self.asked }
    func head(_ key: String) async throws -> StoredObject? { throw Self.asked }
    func list(_ prefix: String, after cursor: String?, limit: Int) async throws -> StoredPage { throw Self.asked }
    func delete(_ key: String) async throws { throw Self.asked }
    func usage() async throws -> StorageUsage { throw Self.asked }
}
