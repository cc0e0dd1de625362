import FoundationEssentials
import Glibc

/// Two real Kubernetes clusters, `dev` and `prod`, that `make clusters-up` or `scripts/run-tests` has started.
///
/// A suite that needs them says `@Suite(.enabled("needs the clusters: make clusters-up") { try
/// KubernetesBench.isAvailable() })`: it is skipped where there are none, and fails in CI. Tests share the clusters, each
/// in a namespace of its own (`withNamespace`); a suite that makes faults wants them for itself and is a `Serial` one.
public struct KubernetesBench: Sendable {
    /// What the scripts in Tests/KubernetesBench keep about the running clusters.
    public let directory: String
    /// A client of the clusters' version. No test's subject: fixtures do not depend on the code under test.
    public let kubectl: String
    /// PostgreSQL, pgBackRest, bash, coreutils and busybox; user `postgres` is 999. Use it with `imagePullPolicy: Never`.
    public let postgresImage: String
    public let postgresMajor: Int

    public var dev: BenchCluster { BenchCluster(bench: self, name: .dev) }
    public var prod: BenchCluster { BenchCluster(bench: self, name: .prod) }
    /// Contexts `dev` and `prod` in one file.
    public var mergedKubeconfig: String { "\(directory)/merged.conf" }

    /// The running clusters: those of `FLEET_KUBERNETES_BENCH`, else of the cache directory that the scripts use.
    public static func find() throws -> KubernetesBench {
        let directory = directory(ProcessInfo.processInfo.environment)
        guard let text = try? String(contentsOfFile: "\(directory)/bench", encoding: .utf8) else {
            throw FixtureError("no Kubernetes clusters are up (\(directory)/bench is not there): make clusters-up")
        }
        return try KubernetesBench(directory: directory, description: text)
    }

    /// Whether the clusters are up. Throws instead of saying no in CI, where their tests must not disappear unnoticed.
    public static func isAvailable() throws -> Bool {
        do {
            _ = try find()
            return true
        } catch {
            if ProcessInfo.processInfo.environment["CI"] == "true" { throw error }
            return false
        }
    }

    static func directory(_ environment: [String: String]) -> String {
        if let directory = environment["FLEET_KUBERNETES_BENCH"], !directory.isEmpty { return directory }
        if let cache = environment["FLEET_KUBERNETES_CACHE"], !cache.isEmpty { return "\(cache)/run" }
        let caches = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return "\(caches ?? "\(environment["HOME"] ?? "/root")/.cache")/fleet/kubernetes/run"
    }

    /// - Parameter description: lines KEY=VALUE, as `up` writes them.
    init(directory: String, description: String) throws {
        var values: [String: String] = [:]
        for line in description.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
        }
        guard let kubectl = values["kubectl"], let image = values["postgres_image"],
            let major = values["postgres_major"].flatMap({ Int($0) })
        else { throw FixtureError("\(directory)/bench is of other scripts than this checkout's: \(description)") }
        self.directory = directory
        self.kubectl = kubectl
        postgresImage = image
        postgresMajor = major
    }
}

extension KubernetesBench {
    /// The image of the fleet that was built with these tests, on both nodes: `/fleet`, complete, and busybox.
    ///
    /// Packing it takes seconds after each build of fleet, and nothing from then on.
    public func agentImage() async throws -> String {
        let fleet = try BuiltProgram.path("fleet")
        let output = try await runTool([Self.script("agent"), fleet]).checked().text
        guard let name = output.split(whereSeparator: \.isNewline).last else {
            throw FixtureError("Tests/KubernetesBench/agent printed no image name")
        }
        return String(name)
    }

    static func script(_ name: String) -> String {
        let here = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        return "\(here)/KubernetesBench/\(name)"
    }
}
