import FleetPluginAPI
import FoundationEssentials
import Glibc
import HTTPClient

/// A real S3 server (SeaweedFS) on the loopback or a bench's bridge, plain and with TLS, with an administrator's keys and a reader's.
///
/// It does not sort lists by the bytes of keys, as S3 does, and makes no bucket by itself.
public final class S3Server: Sendable {
    /// Where S3 is served; everything else of it is on the loopback.
    public let address: String
    public let port: Int
    public let tlsPort: Int
    private let filerPort: Int
    /// The certificate authority that the TLS port's certificate comes from, PEM; it is for `localhost`, `s3.localhost` and what stands below that.
    public let authorityFile: String
    private let process: ChildProcess
    private let log: String

    public static let accessKey = "FLEETTESTADMIN"
    /// With characters that are easily encoded wrongly.
    public static let secretKey = "tst/+secret=of~the-admins"
    public static let readerAccessKey = "FLEETTESTREADER"
    public static let readerSecretKey = "the-readers-secret"

    public var endpoint: String { "http://\(address):\(port)" }
    /// Buckets may stand in the host's name.
    public var tlsEndpoint: String { "https://s3.localhost:\(tlsPort)" }

    /// One for all tests of this process, which share nothing but the server: each has a bucket of its own. It ends with
    /// the process.
    public static func shared() async throws -> S3Server {
        try await sharedStart.value
    }

    private static let sharedStart = Task { try await start(in: ScratchDirectory()) }

    /// Starts one that a test may stop. It ends with the scratch directory at the latest.
    ///
    /// - Parameter address: where it serves S3; the certificate is for it too. Pods reach `BenchCluster.nodeAddress`.
    public static func start(
        in scratch: ScratchDirectory, address: String = "127.0.0.1"
    ) async throws -> S3Server {
        let program = try self.program()
        let files = try await certificates(in: scratch, address: address)
        let identities = """
            {"identities": [
              {"name": "admin", "credentials": [{"accessKey": "\(accessKey)", "secretKey": "\(secretKey)"}],
               "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
              {"name": "reader", "credentials": [{"accessKey": "\(readerAccessKey)", "secretKey": "\(readerSecretKey)"}],
               "actions": ["Read", "List"]}
            ]}
            """
        let configuration = try scratch.write(identities, to: "s3.json")
        // Found in the working directory. Each bucket would have seven volumes.
        try scratch.write("[master.volume_growth]\ncopy_1 = 1\n", to: "master.toml")
        let data = try scratch.directory("s3-data")
        let ports = (0..<9).map { _ in FreePort.next() }
        let log = scratch.path("s3.log")
        let argv = [
            "setpriv", "--pdeathsig", "KILL", "--", program, "server", "-dir=\(data)", "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1", "-s3.ip.bind=\(address)", "-master.port=\(ports[0])", "-master.port.grpc=\(ports[1])",
            "-volume.port=\(ports[2])", "-volume.port.grpc=\(ports[3])", "-filer", "-filer.port=\(ports[4])",
            "-filer.port.grpc=\(ports[5])", "-s3", "-s3.port=\(ports[6])", "-s3.port.grpc=\(ports[7])",
            "-s3.port.https=\(ports[8])", "-s3.cert.file=\(files.certificate)", "-s3.key.file=\(files.key)",
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.config=\(configuration)", "-s3.autoCreateBucket=false",
            "-s3.domainName=s3.localhost", "-volume.max=5000", "-master.volumeSizeLimitMB=64",
            "-master.telemetry=false",
        ]
        let process = try await ChildProcess.start(argv, directory: scratch.path, output: log)
        scratch.onCleanUp {
            process.signal(SIGKILL)
            _ = await process.wait()
        }
        let server = S3Server(
            address: address, port: ports[6], tlsPort: ports[8], filerPort: ports[4], authorityFile: files.authority,
            process: process,
            log: log)
        try await server.waitUntilItServes()
        return server
    }

    private init(
        address: String, port: Int, tlsPort: Int, filerPort: Int, authorityFile: String, process: ChildProcess,
        log: String
    ) {
        self.address = address
        self.port = port
        self.tlsPort = tlsPort
        self.filerPort = filerPort
        self.authorityFile = authorityFile
        self.process = process
        self.log = log
    }

    /// Makes a bucket with a name of its own.
    public func makeBucket() async throws -> String {
        let name = "test-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let url = "http://127.0.0.1:\(filerPort)/buckets/\(name)/"
        // With any type it would be taken for a file.
        let request = HTTPRequest(.post, url, headers: ["content-type": ""])
        let answer = try await HTTPSession.shared.fetch(request)
        guard answer.isSuccess else { throw FixtureError("no bucket: \(answer.status) \(answer.text)") }
        return name
    }

    public func stop() async {
        process.signal(SIGKILL)
        _ = await process.wait()
    }

    private func waitUntilItServes() async throws {
        // It answers before all of its parts have found each other: a bucket that can be made says that they have.
        for _ in 0..<600 {
            guard process.isRunning else { break }
            let s3 = try? await HTTPSession.shared.fetch(HTTPRequest(.get, "\(endpoint)/"))
            if s3?.status == 403, (try? await makeBucket()) != nil { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw FixtureError(
            "the S3 server does not start: \(String(decoding: contents(log).suffix(2000), as: UTF8.self))")
    }

    private static func program() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            geteuid() == 0
            ? "/var/cache" : environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/nonexistent")/.cache"
        let path = "\(cache)/fleet/s3/seaweedfs-4.48/weed"
        guard access(path, X_OK) == 0 else { throw FixtureError("there is no S3 server: scripts/fetch-s3-server") }
        return path
    }

    private static func certificates(
        in scratch: ScratchDirectory, address: String
    ) async throws -> (authority: String, certificate: String, key: String) {
        func path(_ name: String) -> String { scratch.path(name) }
        let new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try await runTool(
            new + [
                "-x509", "-days", "2", "-subj", "/CN=fleet tests", "-keyout", path("ca.key"), "-out", path("ca.pem"),
            ]
        ).checked()
        try await runTool(new + ["-subj", "/CN=localhost", "-keyout", path("s3.key"), "-out", path("s3.csr")]).checked()
        // pgBackRest 2.45 compares an address as if it were a name.
        let own = address == "127.0.0.1" ? "" : ",DNS:\(address),IP:\(address)"
        let names = try scratch.write(
            "subjectAltName=DNS:localhost,DNS:s3.localhost,DNS:*.s3.localhost,IP:127.0.0.1\(own)\n", to: "s3.ext")
        try await runTool([
            "openssl", "x509", "-req", "-in", path("s3.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-days", "2", "-extfile", names, "-out", path("s3.pem"),
        ]).checked()
        return (path("ca.pem"), path("s3.pem"), path("s3.key"))
    }
}
