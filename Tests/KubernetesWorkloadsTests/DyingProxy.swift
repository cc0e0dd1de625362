import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials

/// Stands between a scaler and the API server and shows it the last moment of a process: a request arrives, its answer
/// does not, and nothing after it.
enum DyingProxy {
    /// Runs `body` with a kubeconfig of a server that hands on `count` requests and answers all but the last of them;
    /// then `body` is cancelled. Returns whether it ended by itself.
    ///
    /// - Parameter away: the server comes back after so many seconds, and `body` is not cancelled.
    static func run(
        before count: Int, away: Int = 0, _ namespace: BenchNamespace,
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws -> Bool {
        let scratch = try ScratchDirectory()
        let files = (port: scratch.path("port"), died: scratch.path("died"), kubeconfig: scratch.path("kubeconfig"))
        let script = #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/dying-proxy.py"
        let child = try await ChildProcess.start([
            "python3", script, namespace.bench.kubectl, namespace.cluster.kubeconfig, String(count), files.port,
            files.died, String(away),
        ])
        func end() async {
            child.signal(15)
            _ = await child.wait()
            await scratch.cleanUp()
        }
        do {
            try await waitUntil("the proxy listens") { FileManager.default.fileExists(atPath: files.port) }
            let port = try String(contentsOfFile: files.port, encoding: .utf8)
            let text = """
                {apiVersion: v1, kind: Config, current-context: x, users: [{name: nobody, user: {}}],
                 clusters: [{name: x, cluster: {server: "http://127.0.0.1:\(port)"}}],
                 contexts: [{name: x, context: {cluster: x, user: nobody}}]}
                """
            try text.write(toFile: files.kubeconfig, atomically: true, encoding: .utf8)
            let work = Task { try await body(files.kubeconfig) }
            let watch = Task {
                guard away == 0 else { return }
                while !FileManager.default.fileExists(atPath: files.died) {
                    try await Task.sleep(for: .milliseconds(10))
                }
                work.cancel()
            }
            let result = await work.result
            watch.cancel()
            let hasDied = FileManager.default.fileExists(atPath: files.died)
            if !hasDied || away > 0 { try result.get() }
            await end()
            return !hasDied
        } catch {
            await end()
            throw error
        }
    }
}
