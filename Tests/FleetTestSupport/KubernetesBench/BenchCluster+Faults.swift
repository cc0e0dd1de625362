import Glibc

/// Faults of a whole cluster. Other tests must not run meanwhile: these belong into `Serial` suites.
extension BenchCluster {
    public enum Part: String, Sendable {
        case etcd, apiserver, controllers, scheduler
        /// The whole machine with its containers.
        case node
        /// Its agent alone, while containers go on. It can be held, not stopped.
        case kubelet
    }

    /// Holds a part where it stands (SIGSTOP) while `body` runs: connections to it hang.
    public func withPaused<Result>(_ part: Part, _ body: () async throws -> Result) async throws -> Result {
        try await within(("pause", "continue"), part, body)
    }

    /// Ends a part while `body` runs, and starts it again: connections to it are refused. A node that is stopped has
    /// lost its containers as in a power cut.
    public func withStopped<Result>(_ part: Part, _ body: () async throws -> Result) async throws -> Result {
        try await within(("stop", "start"), part, body)
    }

    /// Lets a part run for a fifth of the time only while `body` runs, in pulses of a quarter of a second.
    public func withSlow<Result>(_ part: Part, _ body: () async throws -> Result) async throws -> Result {
        let pulses = try await ChildProcess.start(fault("slow", part) + ["3600"])
        return try await undoing({
            pulses.signal(SIGTERM)
            _ = await pulses.wait()
            try await runTool(fault("continue", part)).checked()
        }) { try await body() }
    }

    private func within<Result>(
        _ acts: (begin: String, end: String), _ part: Part, _ body: () async throws -> Result
    ) async throws -> Result {
        try await runTool(fault(acts.begin, part)).checked()
        return try await undoing({ try await runTool(fault(acts.end, part)).checked() }) { try await body() }
    }

    /// Calls `undo` however `body` ends, in a task of its own: a cancelled one runs no tool, and the cluster must not
    /// stay broken.
    private func undoing<Result>(
        _ undo: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body()
            try await Task { try await undo() }.value
            return result
        } catch {
            try? await Task { try await undo() }.value
            throw error
        }
    }

    private func fault(_ act: String, _ part: Part) -> [String] {
        [KubernetesBench.script("fault"), name.rawValue, act, part.rawValue]
    }
}
