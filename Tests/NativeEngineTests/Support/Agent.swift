import FleetPluginAPI
import Synchronization

@testable import NativeEngine

/// Calls agent verbs as `fleet agent` would, in this process.
final class Agent: Sendable {
    let instance: String
    let repositories: [EngineContext.Repository]
    private let told = Mutex<(events: [TaskEvent], log: [String])>(([], []))

    private let resolve: SecretResolver

    init(
        _ repositories: [(String, any Storage)], instance: String = "orders", encrypted: Bool = false,
        resolve: @escaping SecretResolver = TestPassphrase.resolve
    ) {
        self.instance = instance
        self.resolve = resolve
        self.repositories = repositories.map {
            EngineContext.Repository(
                name: $0.0, storage: $0.1, secret: encrypted ? TestPassphrase.secret : nil)
        }
    }

    convenience init(
        _ storage: any Storage, instance: String = "orders", encrypted: Bool = false,
        resolve: @escaping SecretResolver = TestPassphrase.resolve
    ) {
        self.init([("local", storage)], instance: instance, encrypted: encrypted, resolve: resolve)
    }

    var context: EngineContext {
        EngineContext(
            instance: Instance(name: instance, cluster: "here", environment: "dev"), repositories: repositories,
            agent: AgentInvocation(executable: "/opt/fleet's bin/fleet", configuration: "/etc/fleet 100%.yaml"),
            location: nil, endpoint: nil)
    }

    /// Exit status of a verb.
    func run(_ verb: String, _ arguments: String...) async -> Int32 {
        await run(verb, arguments)
    }

    func run(_ verb: String, _ arguments: [String]) async -> Int32 {
        guard let found = NativeEngine.agentVerbs.first(where: { $0.name == verb }) else { return -1 }
        let context = AgentContext(
            instance: context.instance, repositories: repositories,
            resolve: resolve,
            emit: { event in self.told.withLock { $0.events.append(event) } },
            log: { line in self.told.withLock { $0.log.append(line) } })
        return await found.run(context, arguments)
    }

    /// Runs a task that the engine described; its result, or what it failed with.
    func carryOut(_ task: TaskSpec) async throws -> JSONValue {
        guard let position = task.argv.firstIndex(of: "agent"), let request = task.argv.last else {
            throw FleetError(.protocolViolation, "no agent verb in \(task.argv)")
        }
        return try await carryOut(task.argv[position + 1], request)
    }

    /// The result of a verb that takes a request, or what it failed with.
    func carryOut(_ verb: String, _ request: String) async throws -> JSONValue {
        told.withLock { $0 = ([], []) }
        let status = await run(verb, request)
        if status != 0 { throw failure ?? FleetError(.failed, "exit status \(status): \(log)") }
        return result ?? .null
    }

    var log: String { told.withLock { $0.log.joined(separator: "\n") } }
    var events: [TaskEvent] { told.withLock { $0.events } }

    var result: JSONValue? {
        for case .result(let value) in events { return value }
        return nil
    }

    var failure: FleetError? {
        for case .failure(let error) in events { return error }
        return nil
    }
}

extension JSONValue {
    func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONText.decode(type, JSONText.encode(self), "a result")
    }
}
