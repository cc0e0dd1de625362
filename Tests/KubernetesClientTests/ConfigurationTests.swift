import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Testing

@testable import KubernetesClient

@Suite struct ConfigurationTests {
    private static let first = """
        apiVersion: v1
        kind: Config
        current-context: a
        contexts:
        - {name: a, context: {cluster: one, user: me, namespace: shop}}
        - {name: b, context: {cluster: two, user: me}}
        clusters:
        - {name: one, cluster: {server: "https://one.example:6443/", certificate-authority: pki/ca.crt}}
        users:
        - {name: me, user: {tokenFile: token}}
        """
    private static let second = """
        current-context: other
        contexts:
        - {name: a, context: {cluster: two, user: you}}
        - {name: c, context: {cluster: two, user: you}}
        clusters:
        - name: two
          cluster: {server: "https://10.0.0.1/k8s", tls-server-name: two.example, proxy-url: "http://u:hidden@p:3128"}
        users:
        - {name: you, user: {token: hidden-token, as: robot, as-groups: [g1, g2]}}
        """

    private func error(_ text: String, context: String? = nil) async throws -> FleetError {
        try await withScratch { scratch in
            let path = try scratch.write(text, to: "config")
            let error = await failure { _ = try await KubernetesConfiguration.load(files: [path], context: context) }
            return try #require(error)
        }
    }

    @Test func filesAreMergedAndPathsAreTheirOwn() async throws {
        try await withScratch { scratch in
            let one = try scratch.directory("x") + "/config"
            try Self.first.write(toFile: one, atomically: false, encoding: .utf8)
            let two = try scratch.write(Self.second, to: "config2")
            let a = try await KubernetesConfiguration.load(files: [one, two])
            #expect(a.contextName == "a" && a.server == "https://one.example:6443" && a.defaultNamespace == "shop")
            #expect(a.authorityFile == scratch.path("x/pki/ca.crt"))
            #expect(a.credentials.tokenFile == scratch.path("x/token"))
            let b = try await KubernetesConfiguration.load(files: [one, two], context: "b")
            #expect(b.defaultNamespace == "default" && b.serverName == "two.example")
            #expect(b.base == "https://two.example/k8s" && b.address == "10.0.0.1:443")
            let c = try await KubernetesConfiguration.load(files: [one, two], context: "c")
            #expect(c.credentials.impersonation.map(\.value) == ["robot", "g1", "g2"])
            var dumped = "\(c) "
            dump(c, to: &dumped)
            #expect(!dumped.contains("hidden"))
        }
    }

    @Test func mistakesAreNamedWithTheirPlaceAndWithoutValues() async throws {
        var text = Self.first
        #expect(try await error(text, context: "x").message.contains("“x”"))
        #expect(try await error(text, context: "b").hint == "there is: one")
        text = Self.second.replacing("token: hidden-token", with: "client-key-data: hidden*")
        let key = try await error(text, context: "c")
        #expect(key.code == .configuration && key.message.contains("client-key-data"))
        #expect(key.message.contains("config:9:") && !key.description.contains("hidden"))
        text = Self.second.replacing("tls-server-name: two.example", with: "insecure-skip-tls-verify: true")
        let unsafe = try await error(text, context: "c")
        #expect(unsafe.code == .refused && unsafe.hint?.contains("certificate-authority") == true)
        #expect(try await error("[1, 2]").code == .configuration)
        #expect(try await error("a: [").message.contains("config:"))
        #expect(try await error("").message.contains("no context"))
        let password = try await error(
            Self.second.replacing("token: hidden-token", with: "password: hidden, username: u"), context: "c")
        #expect(password.code == .unsupported && !password.description.contains("hidden"))
        let missing = await failure { _ = try await KubernetesConfiguration.load(files: ["/no/such/kubeconfig"]) }
        #expect(missing?.code == .configuration)
    }

    /// Whatever a kubeconfig says, it is read or refused.
    @Test func brokenFilesAreSurvived() async throws {
        try await withScratch { scratch in
            for _ in 0..<300 {
                var bytes = Array(Self.second.utf8)
                for _ in 0..<Int.random(in: 1...4) {
                    let place = Int.random(in: 0..<bytes.count)
                    bytes[place] = Array("x:[]{}'\"\n -&*!1".utf8).randomElement() ?? 0
                }
                let path = scratch.path("config")
                try Data(bytes).write(to: URL(filePath: path))
                do {
                    _ = try await KubernetesConfiguration.load(files: [path], context: "c")
                } catch {
                    let error = try #require(error as? FleetError)
                    #expect(!error.description.contains("hidden-token"))
                }
            }
        }
    }

    @Test func podsUseTheirServiceAccount() async throws {
        try await withScratch { scratch in
            let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
            let outside = await failure { _ = try await KubernetesConfiguration.inCluster([:], scratch.path) }
            #expect(outside?.code == .configuration)
            let bare = await failure { _ = try await KubernetesConfiguration.inCluster(environment, scratch.path) }
            #expect(bare?.hint?.contains("automountServiceAccountToken") == true)
            try scratch.write("t", to: "token")
            try scratch.write("shop", to: "namespace")
            let configuration = try await KubernetesConfiguration.inCluster(environment, scratch.path)
            #expect(configuration.server == "https://[fd00::1]:443" && configuration.defaultNamespace == "shop")
            #expect(configuration.host == "[fd00::1]" && configuration.address == "[fd00::1]:443")
        }
    }

    @Test func credentialsAreNotSentInTheClear() async throws {
        var credentials = UserCredentials(name: "me")
        credentials.token = Secret("t")
        for (server, isAllowed) in [
            ("http://10.0.0.1:8080", false), ("http://127.0.0.1:8080", true), ("https://10.0.0.1", true),
            ("ftp://x", false),
        ] {
            let configuration = KubernetesConfiguration(
                contextName: "c", server: server, defaultNamespace: "default", credentials: credentials)
            let made = try? KubernetesClient(configuration)
            #expect((made != nil) == isAllowed, "\(server)")
        }
    }
}
