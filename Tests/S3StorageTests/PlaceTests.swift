import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import HTTPClient
import Testing

@testable import S3Storage

/// What stands where a repository should be, and who may see it.
@Suite struct PlaceTests {
    @Test func aPlaceThatNobodyPreparedIsNotAnEmptyRepository() async throws {
        let place = try await Place.real()
        for (name, call) in calls(try place.storage()) {
            let error = await failure(call)
            #expect(error?.code == .unavailable, "\(name): \(String(describing: error))")
            #expect(error?.message.contains("cloud") == true)
        }
        let prepared = try await place.ready()
        try await prepared.put("a/b", [1], condition: .any)
        var elsewhere = place
        elsewhere.options["prefix"] = "other"
        let error = await failure { _ = try await elsewhere.storage().list("", after: nil, limit: 1) }
        #expect(error?.code == .unavailable && error?.hint?.contains("prefix") == true)
    }

    @Test func aBucketThatIsMissingIsAMistakeInTheConfiguration() async throws {
        let place = Place(endpoint: try await S3Server.shared().endpoint, bucket: "no-such-bucket")
        let storage = try place.storage()
        for (name, call) in calls(storage) + [("prepare", { try await storage.prepare() })] {
            let error = await failure(call)
            #expect(error?.code == .configuration, "\(name): \(String(describing: error))")
            #expect(error?.message.contains("no-such-bucket") == true)
        }
        // And one that vanishes while it is used, with HEAD, too, whose answers have no body.
        storage.found.set(.least, isCertain: true)
        for (name, call) in calls(storage) where name != "create" {
            #expect(await failure(call)?.code == .configuration, "\(name)")
        }
    }

    @Test func whoMayNotIsTold() async throws {
        var place = try await Place.real()
        let storage = try await place.ready()
        try await storage.put("a/b", [1, 2, 3], condition: .any)

        place.accessKey = S3Server.readerAccessKey
        place.secretKey = S3Server.readerSecretKey
        let reader = try place.storage()
        #expect(try await reader.get("a/b") == [1, 2, 3])
        let missing = await failure { _ = try await reader.get("a/c") }?.code
        #expect(missing == .notFound)
        for (name, call) in calls(reader) where ["put", "create", "delete"].contains(name) {
            let error = await failure(call)
            #expect(error?.code == .denied && error?.hint != nil, "\(name)")
        }

        for (access, secret, hint) in [
            (S3Server.accessKey, "wrong-secret-key", "secretKey"), ("WRONGACCESSKEY", S3Server.secretKey, "accessKey"),
        ] {
            place.accessKey = access
            place.secretKey = secret
            let storage = try place.storage()
            for (name, call) in calls(storage) + [("prepare", { try await storage.prepare() })] {
                let error = await failure(call)
                #expect(error?.code == .denied, "\(name): \(String(describing: error))")
                #expect(error?.hint?.contains(hint) == true)
                #expect(error.map { "\($0)" }?.contains(secret) == false)
            }
        }
    }

    @Test func nobodyThereIsUnavailable() async throws {
        let place = Place(endpoint: "http://127.0.0.1:\(FreePort.next())", bucket: "backups", attempts: 2)
        let storage = try place.storage()
        for (name, call) in calls(storage) + [("prepare", { try await storage.prepare() })] {
            #expect(await failure(call)?.code == .unavailable, "\(name)")
        }
    }

    @Test(arguments: [3600, -3600]) func aWrongClockIsExplained(_ seconds: Int64) async throws {
        var place = try await Place.real()
        place.clock = { Timestamp.now + .seconds(seconds) }
        let error = await failure { try await place.storage().prepare() }
        #expect(error?.code == .denied)
        let words = seconds > 0 ? "ahead of" : "behind"
        #expect(error?.message.contains("clock is 1h \(words)") == true, "\(String(describing: error))")
    }

    /// Credentials in files that somebody replaces, as whoever hands out temporary ones does.
    @Test func credentialsMayBeReplaced() async throws {
        try await withScratch { (scratch) async throws in
            let place = try await Place.real()
            _ = try await place.ready()
            try scratch.write("OLDKEY\n", to: "access")
            try scratch.write("old-secret\n", to: "secret")
            let storage = try S3Storage(
                name: "cloud",
                PluginOptions([
                    "endpoint": .string(place.endpoint), "bucket": .string(place.bucket),
                    "accessKey": ["file": .string(scratch.path("access"))],
                    "secretKey": ["file": .string(scratch.path("secret"))],
                ]),
                resolve: { reference in
                    guard case .file(let path) = reference else { throw FleetError(.configuration, "no file") }
                    return Secret(try String(contentsOfFile: path, encoding: .utf8).filter { !$0.isNewline })
                })
            let refused = await failure { _ = try await storage.head("a") }?.code
            #expect(refused == .denied)
            // At once, not when the old ones have aged.
            try scratch.write("\(S3Server.accessKey)\n", to: "access")
            try scratch.write("\(S3Server.secretKey)\n", to: "secret")
            #expect(try await storage.head("a") == nil)
            try scratch.write("", to: "secret")
            let error = await failure { _ = try await storage.client.perform(S3Call(.get, "x")) }
            #expect(error?.code == .notFound, "those that work are kept for a while")
        }
    }

    @Test func aSessionTokenIsSentAndSigned() async throws {
        let server = try OtherServer()
        defer { server.server.stop() }
        let storage = try S3Storage(
            name: "cloud",
            PluginOptions([
                "endpoint": .string(server.server.url), "bucket": "backups", "accessKey": ["env": "A"],
                "secretKey": ["env": "S"], "sessionToken": ["env": "T"],
            ]), resolve: { Secret($0 == .environment("T") ? "the/token+==" : "KEYKEYKEY") })
        try await storage.prepare()
        let request = try #require(server.requests.last)
        #expect(request.header("x-amz-security-token") == "the/token+==")
        #expect(request.header("authorization")?.contains("x-amz-date;x-amz-security-token") == true)
    }

    /// AWS's hosts follow from the region; the keys go to no host that a server names.
    @Test func anotherRegionIsSignedForOrNamed() async throws {
        let server = try OtherServer(.init(region: "eu-west-1"))
        defer { server.server.stop() }
        let storage = try await Place(endpoint: server.server.url, bucket: "backups").ready()
        try await storage.put("a", [1], condition: .absent)
        #expect(try await storage.get("a") == [1])
        let refused = server.requests.filter { $0.header("authorization")?.contains("/us-east-1/") == true }
        #expect(refused.count == 1)

        let proxy = try FaultProxy(to: Int(server.server.port))
        defer { proxy.server.stop() }
        let elsewhere = try Place(endpoint: proxy.endpoint, bucket: "backups", options: ["region": "eu-west-1"])
            .storage()
        let redirect = s3Error(301, "PermanentRedirect", headers: "x-amz-bucket-region: ap-south-1")
        proxy.plan(.answer(redirect), .answer(redirect))
        let error = await failure { _ = try await elsewhere.head("a") }
        #expect(error?.code == .configuration && error?.message.contains("ap-south-1") == true)
        #expect(proxy.pending == 0)
        proxy.plan(.answer("HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))
        let redirected = await failure { _ = try await elsewhere.head("a") }?.code
        #expect(redirected == .protocolViolation)
    }

    @Test(arguments: [
        ("bucket", "a/b"), ("bucket", ""), ("endpoint", "ftp://x"), ("endpoint", "http://user:pw@host"),
        ("endpoint", "https://host/path"), ("prefix", "../x"), ("prefix", "a//b"), ("partSize", "1MiB"),
        ("region", "EU West"), ("kmsKey", "key"), ("objectLock", "compliance"), ("storageClass", "A B"),
    ])
    func mistakesInOptionsAreNamed(_ option: String, _ value: String) async throws {
        var place = Place(endpoint: "https://s3.example.org", bucket: "backups")
        place.options[option] = .string(value)
        let error = await failure { _ = try place.storage() }
        #expect(error?.code == .configuration && error?.message.contains("cloud") == true)
    }

    @Test func placesAreAddressedAsServersExpect() throws {
        func place(_ url: String?, _ bucket: String, _ addressing: S3Endpoint.Addressing? = nil) throws -> String {
            let endpoint = try S3Endpoint(url: url, addressing: addressing, bucket: bucket)
            let place = endpoint.place(bucket: bucket, key: "a b/+é", region: "eu-west-1")
            return "\(endpoint.scheme)://\(place.host)\(place.path)"
        }
        let key = "a%20b/%2B%C3%A9"
        #expect(try place(nil, "b") == "https://b.s3.eu-west-1.amazonaws.com/\(key)")
        #expect(try place(nil, "b.c") == "https://s3.eu-west-1.amazonaws.com/b.c/\(key)")
        #expect(try place("https://Minio.example:443/", "b") == "https://minio.example/b/\(key)")
        #expect(try place("http://[::1]:9000", "b") == "http://[::1]:9000/b/\(key)")
        #expect(try place("http://h:80", "b", .virtualHost) == "http://b.h/\(key)")
    }
}
