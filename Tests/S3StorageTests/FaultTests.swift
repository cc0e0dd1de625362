import FleetPluginAPI
import FleetTestSupport
import HTTPClient
import Testing

@testable import S3Storage

/// Every fault ends in the right error or, after another try, well: never in wrong bytes.
@Suite struct FaultTests {
    private static let bytes = pattern(300_000)

    private static func with(
        _ options: [String: JSONValue] = [:], _ body: (S3Storage, FaultProxy, S3Storage) async throws -> Void
    ) async throws {
        let server = try await S3Server.shared()
        let proxy = try FaultProxy(to: server.port)
        defer { proxy.server.stop() }
        var place = try await Place.real()
        place.options = options
        let direct = try await place.ready()
        try await direct.put("a/b", bytes, condition: .any)
        place.endpoint = proxy.endpoint
        let storage = try place.storage()
        // Knows the server already, so that faults hit what is tested.
        _ = try await storage.head("a/b")
        _ = proxy.takeLines()
        try await body(storage, proxy, direct)
    }

    static let slowDown = s3Error(503, "SlowDown", "Please reduce your request rate.", headers: "Retry-After: 0")

    static let passing: [(String, FaultProxy.Fault)] = [
        ("reset", .resetBefore), ("reset after it was done", .resetAfter), ("SlowDown", .answer(slowDown)),
        ("500", .answer(s3Error(500, "InternalError"))), ("429", .answer(s3Error(429, "TooManyRequests"))),
        ("RequestTimeout", .answer(s3Error(400, "RequestTimeout"))), ("silence", .silence),
        ("503 without a body", .answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")),
        ("a proxy's 502", .answer("HTTP/1.1 502 X\r\nContent-Length: 6\r\n\r\n<html>")),
    ]

    /// Faults of answers with a body.
    static let damaging: [(String, FaultProxy.Fault)] = [
        ("cut", .cut(1000)), ("cut to nothing", .cut(0)), ("shortened", .shorten(299_999)),
        ("shortened to nothing", .shorten(0)), ("unmeasured", .unmeasured(1000)), ("a promise", .promise(10)),
        ("a corrupted byte", .corruptAnswer(150_000)),
    ]

    @Test(arguments: passing.indices) func whatPassesIsTriedAgain(_ index: Int) async throws {
        let (name, fault) = Self.passing[index]
        try await Self.with { (storage, proxy, direct) async throws in
            for (count, (what, call)) in calls(storage).enumerated() where what != "delete" {
                proxy.plan(fault)
                let error = await failure(call)
                #expect(error == nil, "\(name), \(what)")
                #expect(proxy.pending == 0, "\(name), \(what), \(count)")
            }
            proxy.plan(fault, fault)
            #expect(try await storage.get("a/b") == Self.bytes)
            #expect(try await direct.get("a/d") == [1])
            proxy.plan(fault)
            try await storage.delete("a/b")
            #expect(try await direct.head("a/b") == nil)
            proxy.plan(fault)
            let afterwards = await failure { _ = try await storage.get("a/b") }?.code
            #expect(afterwards == .notFound)
        }
    }

    @Test(arguments: passing.indices) func whatDoesNotPassIsUnavailable(_ index: Int) async throws {
        let (name, fault) = Self.passing[index]
        try await Self.with { (storage, proxy, _) async throws in
            // Silence costs the whole timeout, each time.
            let tried = name == "silence" ? ["get"] : ["get", "head", "list"]
            for (what, call) in calls(storage) where tried.contains(what) {
                // More than there are attempts: libcurl tries a broken connection again by itself.
                proxy.plan(Array(repeating: fault, count: 9))
                let error = await failure(call)
                // The four that a caller can tell apart; a server that is silent is out of reach as well.
                #expect(
                    [.unavailable, .timedOut].contains(error?.code), "\(name), \(what): \(String(describing: error))")
                #expect(error?.isRetriable == true && error?.message.contains("cloud") == true)
            }
        }
    }

    @Test(arguments: damaging.indices) func damagedAnswersAreReadAgain(_ index: Int) async throws {
        let (name, fault) = Self.damaging[index]
        try await Self.with { (storage, proxy, _) async throws in
            proxy.plan(fault)
            #expect(try await storage.get("a/b") == Self.bytes, "\(name)")
            #expect(proxy.takeLines().count == 2)
            proxy.plan(Array(repeating: fault, count: 4))
            let error = await failure { _ = try await storage.get("a/b") }
            #expect(
                [.unavailable, .corrupted, .timedOut].contains(error?.code), "\(name): \(String(describing: error))")
            #expect(proxy.pending == 0)

            // Of a range nobody knows a checksum; its length is known.
            if case .corruptAnswer = fault { return }
            proxy.plan(fault)
            let range = try await storage.get("a/b", range: 1000..<299_999)
            #expect(range == Array(Self.bytes[1000..<299_999]), "\(name)")
        }
    }

    @Test func slowAnswersAreWaitedForAndSilenceIsNot() async throws {
        try await Self.with { (storage, proxy, _) async throws in
            proxy.plan(.slow(pieces: 20, pause: 150_000))
            #expect(try await storage.get("a/b") == Self.bytes)
            #expect(proxy.takeLines().count == 1)
        }
    }

    @Test func bytesThatChangeOnTheWayThereAreNotStored() async throws {
        try await Self.with { (storage, proxy, direct) async throws in
            proxy.plan(.corruptRequest(1000))
            let error = await failure { try await storage.put("a/new", Self.bytes, condition: .absent) }
            if error == nil {
                #expect(try await direct.get("a/new") == Self.bytes)
            } else {
                #expect(try await direct.head("a/new") == nil)
            }
            #expect(proxy.pending == 0)
        }
    }

    /// A conditional create whose answer was lost succeeded, and its repetition must not be told that it lost to itself.
    @Test func aLostAnswerToACreateIsNotALostRace() async throws {
        try await Self.with(["partSize": "5MiB"]) { (storage, proxy, direct) async throws in
            proxy.plan(.resetAfter)
            try await storage.put("a/new", [1, 2, 3], condition: .absent)
            #expect(try await direct.get("a/new") == [1, 2, 3])
            proxy.plan(.resetAfter)
            let taken = await failure { try await storage.put("a/b", [1], condition: .absent) }?.code
            #expect(taken == .alreadyExists)
            #expect(try await direct.get("a/b") == Self.bytes)

            // The answer to the last request of an upload in two parts.
            let large = pattern(6 << 20)
            proxy.plan(.none, .none, .none, .resetAfter)
            try await storage.put("a/large", large, condition: .any)
            #expect(try await direct.get("a/large") == large)
            #expect(proxy.pending == 0)
        }
    }

    @Test func anUploadThatFailsLeavesNothing() async throws {
        try await Self.with(["partSize": "5MiB", "parallelParts": 1]) { (storage, proxy, direct) async throws in
            let large = pattern(11 << 20)
            for count in 0..<4 {
                let faults = Array(repeating: FaultProxy.Fault.none, count: count)
                proxy.plan(faults + [.answer(s3Error(403, "AccessDenied"))])
                let error = await failure { try await storage.put("a/large", large, condition: .any) }
                #expect(error?.code == .denied, "\(count)")
                #expect(try await direct.head("a/large") == nil)
                #expect(try await direct.uploads().isEmpty, "\(count)")
            }
            // A success that is none: the error comes after the status was sent.
            let body = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>m</Message></Error>"
            let late = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            proxy.plan(.none, .none, .none, .none, .answer(late))
            try await storage.put("a/large", large, condition: .any)
            #expect(try await direct.get("a/large") == large)
            proxy.plan([.none, .none, .none, .none] + Array(repeating: .answer(late), count: 4))
            let unfinished = await failure { try await storage.put("a/more", large, condition: .any) }?.code
            #expect(unfinished == .unavailable)
            #expect(try await direct.head("a/more") == nil)
            #expect(try await direct.uploads().isEmpty)
        }
    }

    @Test func aCancelledUploadLeavesNothing() async throws {
        try await Self.with(["partSize": "5MiB", "parallelParts": 1]) { (storage, proxy, direct) async throws in
            proxy.plan(.none, .none, .silence)
            let put = Task { try await storage.put("a/large", pattern(11 << 20), condition: .any) }
            while proxy.pending > 0 { try await Task.sleep(for: .milliseconds(20)) }
            put.cancel()
            await #expect(throws: (any Error).self) { try await put.value }
            #expect(try await direct.head("a/large") == nil)
            #expect(try await direct.uploads().isEmpty)
        }
    }

    /// wal-get answers "not in the archive" to `notFound`: nothing but the server itself may cause it.
    @Test func aForeign404IsNotAMissingObject() async throws {
        try await Self.with { (storage, proxy, _) async throws in
            let foreign = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found"
            for (what, call) in calls(storage) where what != "create" {
                proxy.plan(.answer(foreign), .answer(foreign))
                let error = await failure(call)
                #expect(error?.code == .unavailable, "\(what): \(String(describing: error))")
            }
            for code in ["NoSuchBucket", "AccessDenied", "InternalError"] {
                let status = code == "AccessDenied" ? 403 : code == "InternalError" ? 500 : 404
                proxy.plan(Array(repeating: .answer(s3Error(status, code)), count: 8))
                for (what, call) in calls(storage) where ["get", "list"].contains(what) {
                    let error = await failure(call)
                    #expect(error != nil && error?.code != .notFound, "\(code), \(what)")
                }
            }
            proxy.plan(.answer(ok("<html>welcome</html>")))
            let error = await failure { _ = try await storage.list("", after: nil, limit: 1) }
            #expect(error?.code == .protocolViolation)
        }
    }

    @Test func theServersWordsAreRepeatedWithoutSecrets() async throws {
        try await Self.with { (storage, proxy, _) async throws in
            proxy.plan(
                .answer(s3Error(403, "AccessDenied", "not with \(S3Server.accessKey) and \(S3Server.secretKey)")))
            let error = await failure { _ = try await storage.get("a/b") }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains("AccessDenied: not with … and …"))
            #expect(!text.contains(S3Server.secretKey) && !text.contains("Signature"))
        }
    }

    @Test func everyCallOfTheClientFailsAsTheServerDoes() async throws {
        try await Self.with { (storage, _, direct) async throws in
            for client in [storage.client, direct.client] {
                for call in [S3Call(.get, "x"), S3Call(.head, "x")] {
                    let error = await failure { _ = try await client.perform(call) }
                    #expect(error?.code == .notFound)
                }
            }
        }
    }
}
