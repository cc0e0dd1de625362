import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import KubernetesClient

/// A kubeconfig for a server of the test's own, without TLS.
private func kubeconfig(_ server: LocalServer, user: String) -> String {
    """
    current-context: c
    contexts: [{name: c, context: {cluster: c, user: u}}]
    clusters: [{name: c, cluster: {server: "\(server.url)"}}]
    users:
    - name: u
      user: \(user)
    """
}

private let object = #"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}"#
private let unauthorized =
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

@Suite struct LoginTests {
    private let reference = ObjectReference(.configMaps, namespace: "n", name: "a")

    @Test func aTokenThatRotatesIsReadAgain() async throws {
        try await withScratch { scratch in
            let valid = Mutex("first")
            let server = try LocalServer.answering { request, _ in
                request.header("authorization") == valid.withLock({ "Bearer \($0)" }) ? ok(object) : unauthorized
            }
            defer { server.stop() }
            try scratch.write("first\n", to: "token")
            let path = try scratch.write(kubeconfig(server, user: "{tokenFile: token}"), to: "config")
            let client = try KubernetesClient(try await KubernetesConfiguration.load(files: [path]))
            _ = try await client.get(reference)
            try scratch.write("second\n", to: "token")
            valid.withLock { $0 = "second" }
            _ = try await client.get(reference)
            valid.withLock { $0 = "third" }
            let denied = await failure { _ = try await client.get(reference) }
            #expect(denied?.code == .denied && denied?.message.contains("u") == true)
            #expect(denied?.description.contains("second") == false)
        }
    }

    /// A program gives credentials once for many requests, and again when they are refused.
    @Test(arguments: ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"])
    func programsGiveCredentials(_ version: String) async throws {
        try await withScratch { scratch in
            let server = try LocalServer.answering { request, _ in
                let token = request.header("authorization") ?? ""
                return token == "Bearer t-2" || request.line.contains("/first") ? ok(object) : unauthorized
            }
            defer { server.stop() }
            let script = """
                #!/bin/sh
                echo "$1 $EXTRA $KUBERNETES_EXEC_INFO" >> "$(dirname "$0")/calls"
                n=$(wc -l < "$(dirname "$0")/calls")
                echo '{"kind":"ExecCredential","apiVersion":"\(version)","status":{"token":"t-'$n'"}}'
                """
            let program = try scratch.write(script, to: "login")
            chmod(program, 0o755)
            let user =
                "{exec: {apiVersion: \(version), command: ./login, args: [go], interactiveMode: Never, "
                + "provideClusterInfo: true, env: [{name: EXTRA, value: more}]}}"
            let path = try scratch.write(kubeconfig(server, user: user), to: "config")
            let client = try KubernetesClient(try await KubernetesConfiguration.load(files: [path]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        _ = try await client.get(ObjectReference(.configMaps, namespace: "first", name: "first"))
                    }
                }
                try await group.waitForAll()
            }
            func calls() throws -> [String] {
                try String(contentsOfFile: scratch.path("calls"), encoding: .utf8).split(separator: "\n").map(
                    String.init)
            }
            #expect(try calls().count == 1)
            let call = try #require(try calls().first)
            #expect(call.hasPrefix("go more {") && call.contains(version) && call.contains(server.url))
            #expect(call.contains(#""interactive":false"#))
            _ = try await client.get(reference)
            #expect(try calls().count == 2)
        }
    }

    @Test func programsThatFailAreNamed() async throws {
        try await withScratch { scratch in
            let server = try LocalServer.answering { _, _ in ok(object) }
            defer { server.stop() }
            func error(_ command: String, _ more: String = "") async throws -> FleetError? {
                let user =
                    "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, "
                    + "command: \(command), installHint: get it\(more)}}"
                let path = try scratch.write(kubeconfig(server, user: user), to: "config")
                let client = try KubernetesClient(try await KubernetesConfiguration.load(files: [path]))
                return await failure { _ = try await client.get(reference) }
            }
            let missing = try await error("no-such-program-here")
            #expect(missing?.code == .configuration && missing?.hint == "get it")
            let failing = try await error("sh", ", args: [-c, 'echo sorry >&2; exit 4']")
            #expect(failing?.code == .denied && failing?.cause?.contains("sorry") == true)
            #expect(try await error("echo", ", args: [hello]")?.code == .protocolViolation)
            #expect(try await error("sh", ", args: [-c, 'read x; exit 1']")?.code == .denied)
        }
    }
}
