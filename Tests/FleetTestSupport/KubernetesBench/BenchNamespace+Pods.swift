import FoundationEssentials
import Glibc

extension BenchNamespace {
    /// Names of the pods with these labels (`"app=web"`; all when empty), Terminating ones included.
    public func podNames(_ selector: String = "") async throws -> [String] {
        let output = "jsonpath={range .items[*]}{.metadata.name} {end}"
        return try await kubectl("get", "pods", "--selector", selector, "--output", output)
            .split(separator: " ").map(String.init)
    }

    /// The address at which the host and every pod of both clusters reach it.
    public func podAddress(_ pod: String) async throws -> String {
        try await field(".status.podIP", of: "pod/\(pod)")
    }

    /// What a container has written, and with `previous` what the one before it had.
    public func podLogs(_ pod: String, container: String? = nil, previous: Bool = false) async throws -> String {
        var arguments = ["logs", pod]
        if let container { arguments += ["--container", container] }
        if previous { arguments.append("--previous") }
        return try await run(arguments).checked().text
    }

    /// Runs a program in a pod to its end.
    public func execInPod(
        _ pod: String, container: String? = nil, _ argv: [String], input: String? = nil
    ) async throws -> ToolResult {
        var arguments = ["exec", pod]
        if let container { arguments += ["--container", container] }
        if input != nil { arguments.append("--stdin") }
        return try await run(arguments + ["--"] + argv, input: input)
    }

    /// One query in a pod of `PostgresWorkload`; rows as `psql --tuples-only --no-align` writes them.
    public func sql(_ query: String, in pod: String, database: String = "postgres") async throws -> String {
        let psql = [
            "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql", "-U", "postgres", "-d", database,
        ]
        let result = try await execInPod(pod, container: "postgres", psql, input: query)
        let text = try result.checked().text
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Makes a pod stay Terminating, however it is deleted, until `release` or the end of the test.
    public func hold(_ pod: String) async throws {
        try await setFinalizers(#"["fleet.test/held"]"#, of: pod)
    }

    /// Lets a pod go that was held.
    public func release(_ pod: String) async throws {
        try await setFinalizers("null", of: pod)
    }

    private func setFinalizers(_ value: String, of pod: String) async throws {
        try await kubectl(
            "patch", "pod/\(pod)", "--type=merge", "--patch", #"{"metadata":{"finalizers":\#(value)}}"#)
    }

    /// A directory of the host behind a claim of this name, which pods and the test share. Everybody may write to it.
    public func sharedVolume(_ claim: String) async throws -> String {
        let directory = try scratch.directory(claim, mode: 0o777)
        try await apply(
            """
            apiVersion: v1
            kind: PersistentVolume
            metadata: {name: \(name)-\(claim), labels: {\(Self.label): \(name)}}
            spec:
              capacity: {storage: 1Gi}
              accessModes: [ReadWriteMany]
              storageClassName: ""
              persistentVolumeReclaimPolicy: Retain
              claimRef: {namespace: \(name), name: \(claim)}
              hostPath: {path: \(directory), type: Directory}
            ---
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: \(claim)}
            spec:
              accessModes: [ReadWriteMany]
              storageClassName: ""
              volumeName: \(name)-\(claim)
              resources: {requests: {storage: 1Gi}}
            """)
        return directory
    }
}
