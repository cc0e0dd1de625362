import FleetPluginAPI
import Glibc
import HTTPClient
import ProcessRunner
import Testing

private let openssl = ExecutableSearch.find("openssl")

/// `openssl s_server` with a certificate of its own, for `localhost` alone.
@Suite(.enabled(if: openssl != nil)) struct TLSTests {
    @Test func certificatesAreVerified() async throws {
        try await withTLSServer { port, certificate in
            let untrusting = await failure(HTTPRequest(.get, "https://localhost:\(port)/"))
            #expect(untrusting?.code == .denied)
            #expect(untrusting?.hint?.contains("authority") == true)

            let trusting = session { $0.tls.authorityFile = certificate }
            let result = try await trusting.fetch(HTTPRequest(.get, "https://localhost:\(port)/"))
            #expect(result.status == 200)

            let otherName = await failure(HTTPRequest(.get, "https://127.0.0.1:\(port)/"), trusting)
            #expect(otherName?.code == .denied)

            let missing = session { $0.tls.authorityFile = "/nowhere/ca.pem" }
            #expect(await failure(HTTPRequest(.get, "https://localhost:\(port)/"), missing)?.code == .configuration)
        }
    }

    private func withTLSServer(_ body: (Int, String) async throws -> Void) async throws {
        let openssl = try #require(openssl)
        let stem = "/tmp/fleet-tls-\(UInt32.random(in: .min ... .max))"
        let (key, certificate, log) = ("\(stem).key", "\(stem).pem", "\(stem).log")
        defer { for file in [key, certificate, log] { unlink(file) } }
        try await Command([
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        ]).checked()
        let server = try await Command([
            openssl, "s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate, "-www",
        ]).startDetached(output: .appended(log), errors: .appended(log))
        defer { _ = try? server.identity.signal(SIGKILL) }
        // It says `ACCEPT 127.0.0.1:PORT`.
        for _ in 0..<2000 {
            let said = try await Command(["/bin/cat", log]).run().outputText
            if let line = said.split(separator: "\n").first(where: { $0.hasPrefix("ACCEPT ") }),
                let port = line.split(separator: ":").last.flatMap({ Int($0) })
            {
                return try await body(port, certificate)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("openssl s_server did not start")
    }
}
