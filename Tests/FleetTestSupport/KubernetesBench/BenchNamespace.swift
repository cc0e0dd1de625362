import FoundationEssentials
import Glibc

/// A namespace of a test's own.
public struct BenchNamespace: Sendable {
    public let cluster: BenchCluster
    public let name: String
    /// Files of the test. Its `onCleanUp` runs before the namespace is deleted.
    public let scratch: ScratchDirectory

    public var bench: KubernetesBench { cluster.bench }

    @discardableResult
    public func kubectl(_ arguments: String..., input: String? = nil) async throws -> String {
        try await run(arguments, input: input).checked().text
    }

    /// What kubectl does with these arguments in this namespace, whatever it comes to.
    public func run(_ arguments: [String], input: String? = nil) async throws -> ToolResult {
        try await cluster.runKubectl(["--namespace", name] + arguments, input: input)
    }

    /// Applies objects, in YAML or JSON, to this namespace.
    public func apply(_ manifest: String) async throws {
        try await kubectl("apply", "-f", "-", input: manifest)
    }

    /// Gives the token of `runnerKubeconfig` its few rights here: Tests/KubernetesBench/runner.yaml.
    public func admitRunner() async throws {
        try await kubectl("apply", "-f", KubernetesBench.script("runner.yaml"))
    }

    /// A field of an object, as kubectl's `jsonpath` finds it; empty when it is not set. `"statefulset/pg"`,
    /// `".spec.replicas"`.
    public func field(_ path: String, of object: String) async throws -> String {
        try await kubectl("get", object, "--output", "jsonpath={\(path)}")
    }

    /// Waits until a Deployment or StatefulSet (`"statefulset/pg"`) has all its replicas ready.
    public func waitForRollout(_ object: String, deadline: Duration = .seconds(120)) async throws {
        let status = ["rollout", "status", object, "--timeout", "\(deadline.components.seconds)s"]
        let result = try await run(status)
        guard result.exitCode == 0 else {
            throw FixtureError("\(object) did not become ready: \(result.errors)\n\(try await state())")
        }
    }

    /// Waits for `condition`; an error that says what was there instead, if it does not come true in time.
    public func waitUntil(
        _ what: String, deadline: Duration = .seconds(60), _ condition: () async throws -> Bool
    ) async throws {
        do {
            try await FleetTestSupport.waitUntil(what, deadline: deadline) {
                if try await condition() { return true }
                // Each look is a process of its own.
                try await Task.sleep(for: .milliseconds(200))
                return false
            }
        } catch let error as FixtureError {
            throw FixtureError("\(error)\n\(try await state())")
        }
    }

    /// What kubectl tells of everything here, and of what happened.
    public func state() async throws -> String {
        let objects = try await run(["get", "all,persistentvolumeclaims", "--output", "wide"])
        let events = try await run(["get", "events", "--sort-by", ".lastTimestamp"])
        return "\(objects.text)\(objects.errors)\(events.text.suffix(4000))\(events.errors)"
    }
}

/// Lends a new namespace with a unique name, `PREFIX-…`; deletes it with all it holds, however `body` ends, and waits
/// until it is gone.
public func withNamespace<Result>(
    _ prefix: String, on name: BenchCluster.Name = .dev, _ body: (BenchNamespace) async throws -> Result
) async throws -> Result {
    let bench = try KubernetesBench.find()
    let cluster = name == .dev ? bench.dev : bench.prod
    let unique = "\(prefix)-\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 36))"
    return try await withScratch { scratch in
        let namespace = BenchNamespace(cluster: cluster, name: unique, scratch: scratch)
        // Registered first, it is undone last: what a test adds may still need the namespace.
        scratch.onCleanUp { await namespace.delete() }
        try await namespace.create()
        return try await body(namespace)
    }
}
