import FleetPluginAPI
import FleetTestSupport
import Glibc
import Synchronization
import Testing

@testable import HTTPClient

/// A session that no proxy of this machine gets in the way of.
func session(_ change: (inout HTTPSession.Options) -> Void = { _ in }) -> HTTPSession {
    var options = HTTPSession.Options(usesProxyEnvironment: false)
    change(&options)
    return HTTPSession(options)
}

func failure(_ request: HTTPRequest, _ session: HTTPSession = session()) async -> FleetError? {
    await #expect(throws: FleetError.self) { try await session.fetch(request) }
}

@Suite struct ExchangeTests {
    @Test func requestAndAnswerArriveAsTheyAre() async throws {
        let server = try LocalServer.answering { request, _ in
            ok("\(request.line)|\(request.header("x-a") ?? "")|\(request.header("x-secret") ?? "")", "X-Answer:  one ")
        }
        defer { server.stop() }
        let result = try await session().fetch(
            HTTPRequest(
                .get, "\(server.url)/path?q=1", headers: ["X-A": "value"], secretHeaders: ["X-Secret": Secret("hidden")]
            ))
        #expect(result.status == 200)
        #expect(result.text == "GET /path?q=1 HTTP/1.1|value|hidden")
        #expect(result.headers["x-ANSWER"] == "one")
    }

    @Test(arguments: [HTTPRequest.Method.put, .post, .patch, .delete])
    func bodiesArriveUnderEveryMethod(_ method: HTTPRequest.Method) async throws {
        let server = try LocalServer.answering { request, _ in
            ok(
                "\(request.line.split(separator: " ")[0]) \(request.body.count) \(request.body.reduce(0) { ($0 &+ Int($1)) })"
            )
        }
        defer { server.stop() }
        let bytes = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let sum = bytes.reduce(0) { $0 + Int($1) }
        let whole = try await session().fetch(HTTPRequest(method, server.url, body: .bytes(bytes)))
        #expect(whole.text == "\(method.rawValue) 400000 \(sum)")
        for length in [Int64(bytes.count), nil] {
            let pieces = Pieces(bytes, of: 33_333)
            let streamed = try await session().fetch(
                HTTPRequest(method, server.url, body: .stream(length: length) { pieces.next() }))
            #expect(streamed.text == "\(method.rawValue) 400000 \(sum)")
        }
    }

    @Test func aPostWithoutBodyHasALength() async throws {
        let server = try LocalServer.answering { request, _ in ok("\(request.header("content-length") ?? "none")") }
        defer { server.stop() }
        #expect(try await session().fetch(HTTPRequest(.post, server.url)).text == "0")
    }

    @Test func headHasNoBody() async throws {
        let server = try LocalServer.answering { _, _ in "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n" }
        defer { server.stop() }
        let result = try await session().fetch(HTTPRequest(.head, server.url))
        #expect(result.body.isEmpty && result.headers["content-length"] == "12345")
    }

    @Test(arguments: [204, 304, 404, 500, 503]) func everyStatusIsAnAnswer(_ status: Int) async throws {
        let server = try LocalServer.answering { _, _ in "HTTP/1.1 \(status) Whatever\r\nContent-Length: 0\r\n\r\n" }
        defer { server.stop() }
        #expect(try await session().fetch(HTTPRequest(.get, server.url)).status == status)
    }

    @Test func interimAnswersAndTrailersAreNotTheAnswer() async throws {
        let server = try LocalServer.answering { _, _ in
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n0\r\nX-Trailer: late\r\n\r\n"
        }
        defer { server.stop() }
        let result = try await session().fetch(HTTPRequest(.get, server.url))
        #expect(result.status == 200 && result.text == "abc")
        #expect(result.headers["link"] == nil && result.headers["x-trailer"] == nil)
    }

    @Test func connectionsAreUsedAgain() async throws {
        let server = try LocalServer.answering { _, _ in ok("x") }
        defer { server.stop() }
        let session = session()
        for _ in 0..<10 { _ = try await session.fetch(HTTPRequest(.get, server.url)) }
        #expect(server.requests == 10 && server.connections == 1)
    }

    @Test func connectionsPerHostAreLimited() async throws {
        let server = try LocalServer.answering { _, _ in
            usleep(5000)
            return ok("x")
        }
        defer { server.stop() }
        let session = session { $0.connectionsPerHost = 3 }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 { group.addTask { try await session.fetch(HTTPRequest(.get, server.url)).status } }
            for try await status in group { #expect(status == 200) }
        }
        #expect(server.connections <= 3)
    }

    @Test func redirectsAreAnswersUnlessFollowed() async throws {
        let server = try LocalServer.answering { request, _ in
            request.line.contains("/old")
                ? "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 4\r\n\r\ngone" : ok("new")
        }
        defer { server.stop() }
        let plain = try await session().fetch(HTTPRequest(.get, "\(server.url)/old"))
        #expect(plain.status == 302 && plain.text == "gone")
        let followed = try await session().fetch(HTTPRequest(.get, "\(server.url)/old", redirects: 3))
        #expect(followed.status == 200 && followed.text == "new")
        let secret = try await session().fetch(
            HTTPRequest(.get, "\(server.url)/old", secretHeaders: ["X-S": Secret("x")], redirects: 3))
        #expect(secret.status == 302)
    }

    @Test func unixSocketsWork() async throws {
        let path = "/tmp/fleet-http-\(UInt32.random(in: .min ... .max))"
        let server = try LocalServer.answering(unixSocket: path) { request, _ in ok(request.header("host") ?? "") }
        defer { server.stop() }
        let result = try await session { $0.unixSocket = path }.fetch(HTTPRequest(.get, "http://local.example/x"))
        #expect(result.text == "local.example")
    }

    final class Pieces: Sendable {
        private let rest: Mutex<ArraySlice<UInt8>>
        private let size: Int
        init(_ bytes: [UInt8], of size: Int) {
            rest = Mutex(bytes[...])
            self.size = size
        }
        func next() -> [UInt8]? {
            rest.withLock { rest in
                guard !rest.isEmpty else { return nil }
                defer { rest = rest.dropFirst(size) }
                return Array(rest.prefix(size))
            }
        }
    }
}

@Suite struct StreamingTests {
    /// The server can write only as fast as the reader reads: what it could send before is bounded.
    @Test func aSlowReaderSlowsTheServerDown() async throws {
        let sent = Counter()
        let total = 64 << 20
        let server = try LocalServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let piece = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<64 {
                guard connection.write(piece) else { return }
                sent.add(piece.count)
            }
        }
        defer { server.stop() }
        let response = try await session().send(HTTPRequest(.get, server.url, responseLimit: .max))
        var last = -1
        while last != sent.value {
            last = sent.value
            try await Task.sleep(for: .milliseconds(100))
        }
        // Buffers of sockets and the window; far from all of it.
        #expect(sent.value < total / 2)
        var received = 0
        for try await piece in response.body { received += piece.count }
        #expect(received == total)
    }

    @Test func lettingGoOfABodyEndsTheTransfer() async throws {
        let ended = Counter()
        let server = try LocalServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            let piece = [UInt8](repeating: 7, count: 1 << 16)
            while connection.write(piece) {}
            ended.add(1)
        }
        defer { server.stop() }
        let session = session()
        do {
            let response = try await session.send(HTTPRequest(.get, server.url, responseLimit: .max))
            for try await _ in response.body { break }
        }
        try await eventually { ended.value == 1 }
    }

    @Test func cancellationEndsTheTransfer() async throws {
        let ended = Counter()
        let server = try LocalServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.waitForEnd()
            ended.add(1)
        }
        defer { server.stop() }
        let session = session()
        let task = Task { try await session.fetch(HTTPRequest(.get, server.url)) }
        try await eventually { server.requests == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await eventually { ended.value == 1 }
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await session.fetch(HTTPRequest(.get, server.url))
        }
        await #expect(throws: CancellationError.self) { try await early.value }
    }

    @Test func aBodyThatCannotBeMadeIsTheError() async throws {
        let server = try LocalServer.answering { _, _ in ok("x") }
        defer { server.stop() }
        let error = await failure(
            HTTPRequest(.put, server.url, body: .stream(length: nil) { throw FleetError(.corrupted, "bad source") }))
        #expect(error?.code == .corrupted)
    }

    /// Many transfers, their answers of different sizes, some let go of early.
    @Test func manyTransfersDoNotMix() async throws {
        let server = try LocalServer.answering { request, _ in
            let size = Int(request.line.split(separator: " ")[1].dropFirst()) ?? 0
            return ok(String(repeating: "x", count: size))
        }
        defer { server.stop() }
        let session = session { $0.connectionsPerHost = 8 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<120 {
                group.addTask {
                    let size = (index * 7919) % 400_000
                    let response = try await session.send(HTTPRequest(.get, "\(server.url)/\(size)"))
                    if index.isMultiple(of: 5) { return }
                    let result = try await response.collect()
                    #expect(result.body.count == size)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aSessionThatGoesAwayLetsItsReadersFinish() async throws {
        let server = try LocalServer.answering { _, _ in ok(String(repeating: "x", count: 3_000_000)) }
        defer { server.stop() }
        let response = try await session().send(HTTPRequest(.get, server.url))
        let result = try await response.collect()
        #expect(result.body.count == 3_000_000)
    }
}

@Suite struct MisbehaviourTests {
    @Test func nobodyListening() async throws {
        let server = try LocalServer.answering { _, _ in nil }
        server.stop()
        let error = await failure(HTTPRequest(.get, server.url))
        #expect(error?.code == .unavailable)
        #expect(error?.isRetriable == true)
    }

    @Test func anUnknownName() async throws {
        let error = await failure(HTTPRequest(.get, "http://no-such-host.invalid/"))
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("no-such-host.invalid") == true)
    }

    @Test func noAnswer() async throws {
        let server = try LocalServer { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, server.url, deadline: .milliseconds(200)))
        #expect(error?.code == .timedOut)
    }

    /// One byte now and then is not a stall for the operating system.
    @Test func aStallInTheMiddle() async throws {
        let server = try LocalServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            connection.waitForEnd()
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, server.url, deadline: .seconds(60), stallTimeout: .seconds(1)))
        #expect(error?.code == .timedOut)
        #expect(error?.cause?.contains("slow") == true)
    }

    @Test func anAnswerCutShort() async throws {
        for end in ["close", "reset"] {
            let server = try LocalServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
                if end == "reset" { connection.reset() }
            }
            defer { server.stop() }
            let error = await failure(HTTPRequest(.get, server.url))
            #expect(error?.code == .unavailable)
        }
    }

    @Test func hangingUp() async throws {
        let server = try LocalServer { connection in _ = connection.readRequest() }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, server.url))
        #expect(error?.code == .unavailable)
    }

    @Test func anEndlessHead() async throws {
        let server = try LocalServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n")
            while connection.write(Array("X-Header: \(String(repeating: "y", count: 8000))\r\n".utf8)) {}
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, server.url))
        #expect(error?.code == .protocolViolation)
        let interim = try LocalServer { connection in
            _ = connection.readRequest()
            while connection.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) {}
        }
        defer { interim.stop() }
        #expect(await failure(HTTPRequest(.get, interim.url))?.code == .protocolViolation)
    }

    @Test func anEndlessBody() async throws {
        let server = try LocalServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            while connection.write([UInt8](repeating: 1, count: 100_000)) {}
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, server.url, responseLimit: 1 << 20))
        #expect(error?.code == .exhausted)
        #expect(error?.isRetriable == false)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "\r\n\r\n", "HTTP/9.9 x\r\n\r\n",
    ])
    func nonsense(_ answer: String) async throws {
        let server = try LocalServer { connection in
            _ = connection.readRequest()
            connection.write(answer)
        }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, server.url, deadline: .seconds(20)))
        #expect([.protocolViolation, .unavailable].contains(error?.code))
    }

    @Test func plainHTTPOnATLSPort() async throws {
        let server = try LocalServer { connection in connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        defer { server.stop() }
        let error = await failure(HTTPRequest(.get, "https://127.0.0.1:\(server.port)/"))
        #expect(error?.code == .denied)
        #expect(error?.hint?.contains("TLS") == true)
    }

    @Test func randomBytesNeverCrash() async throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            var bytes = Array(
                "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
                    .utf8)
            for _ in 0..<Int.random(in: 1...12) {
                bytes[bytes.indices.randomElement(using: &generator) ?? 0] = .random(in: 0...255)
            }
            let answer = bytes
            let server = try LocalServer { connection in
                _ = connection.readRequest()
                connection.write(answer)
            }
            _ = try? await session().fetch(HTTPRequest(.get, server.url, deadline: .seconds(2)))
            server.stop()
        }
    }
}

@Suite struct SecrecyTests {
    @Test func errorsShowNeitherQueryNorUser() async throws {
        let secret = "hunter2hunter2"
        for url in [
            "http://127.0.0.1:1/path?token=\(secret)", "http://user:\(secret)@127.0.0.1:1/path",
            "http://127.0.0.1:1/path#\(secret)", "ftp://\(secret)@host/", "http://\(secret) host/",
        ] {
            let request = HTTPRequest(.get, url, secretHeaders: ["Authorization": Secret(secret)])
            let error = await failure(request)
            #expect(error != nil && !String(describing: error).contains(secret))
            #expect(!"\(request)".contains(secret) && !String(reflecting: request).contains(secret))
        }
        let hidden = HTTPRequest(.post, "http://127.0.0.1:1/services/\(secret)", hidesPath: true)
        let error = await failure(hidden)
        #expect(error?.description.contains(secret) == false)
        #expect(error?.message.contains("http://127.0.0.1:1") == true)
    }

    @Test func headersCannotSmuggle() async throws {
        for (name, value) in [("X", "a\r\nY: b"), ("X\r\nY", "b"), ("", "x"), ("X Y", "b"), ("X", "a\0b")] {
            var request = HTTPRequest(.get, "http://127.0.0.1:1/")
            request.headers.add(name, value)
            #expect(await failure(request)?.code == .usage)
            request = HTTPRequest(.get, "http://127.0.0.1:1/", secretHeaders: [name: Secret(value)])
            #expect(await failure(request)?.code == .usage)
        }
    }
}

@Suite struct RetryTests {
    func policy(_ pauses: Pauses) -> RetryPolicy {
        var policy = RetryPolicy(attempts: 4, firstPause: .seconds(1), longestPause: .seconds(3))
        policy.sleep = { pauses.add($0) }
        policy.random = { $0.upperBound }
        return policy
    }

    final class Pauses: Sendable {
        private let list = Mutex<[Duration]>([])
        func add(_ pause: Duration) { list.withLock { $0.append(pause) } }
        var all: [Duration] { list.withLock { $0 } }
    }

    @Test func passingFailuresAreTriedAgain() async throws {
        let server = try LocalServer.answering { _, number in
            number < 4 ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" : ok("at last")
        }
        defer { server.stop() }
        let pauses = Pauses()
        let result = try await session().fetch(HTTPRequest(.get, server.url), retrying: policy(pauses))
        #expect(result.text == "at last")
        #expect(pauses.all == [.seconds(1), .seconds(2), .seconds(3)])
    }

    @Test func theLastAnswerOrErrorIsTheResult() async throws {
        let server = try LocalServer.answering { _, _ in "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" }
        let pauses = Pauses()
        let result = try await session().fetch(HTTPRequest(.get, server.url), retrying: policy(pauses))
        #expect(result.status == 503 && server.requests == 4)
        server.stop()
        let error = await #expect(throws: FleetError.self) {
            try await session().fetch(HTTPRequest(.get, server.url), retrying: policy(pauses))
        }
        #expect(error?.code == .unavailable)
        #expect(pauses.all.count == 6)
    }

    @Test func whatMustNotBeRepeatedIsNot() async throws {
        let server = try LocalServer.answering { _, _ in "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" }
        defer { server.stop() }
        let pauses = Pauses()
        _ = try await session().fetch(HTTPRequest(.post, server.url), retrying: policy(pauses))
        #expect(server.requests == 1)
        _ = try await session().fetch(HTTPRequest(.post, server.url, isIdempotent: true), retrying: policy(pauses))
        #expect(server.requests == 5)
    }

    @Test func statusesThatWillNotPassAreFinal() async throws {
        let server = try LocalServer.answering { _, _ in "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" }
        defer { server.stop() }
        #expect(try await session().fetch(HTTPRequest(.get, server.url), retrying: policy(Pauses())).status == 404)
        #expect(server.requests == 1)
    }

    @Test func theServersWishIsHonoured() async throws {
        let server = try LocalServer.answering { _, number in
            let wish = number == 1 ? "7" : "3600"
            return "HTTP/1.1 429 Slow down\r\nRetry-After: \(wish)\r\nContent-Length: 0\r\n\r\n"
        }
        defer { server.stop() }
        let pauses = Pauses()
        let result = try await session().fetch(HTTPRequest(.get, server.url), retrying: policy(pauses))
        // An hour is beyond the budget.
        #expect(result.status == 429 && pauses.all == [.seconds(7)])
    }

    @Test func datesAreRead() {
        let date = Timestamp(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(date?.description == "1994-11-06T08:49:37Z")
        for text in ["", "tomorrow", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "a b c d e GMT"] {
            #expect(Timestamp(httpDate: text) == nil)
        }
        let now = Timestamp(microseconds: 784_111_767_000_000)
        #expect(RetryPolicy.retryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now: now) == .seconds(10))
        #expect(RetryPolicy.retryAfter("x", now: now) == nil)
        #expect(RetryPolicy.retryAfter("-5", now: now) == nil)
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ number: Int) { count.withLock { $0 += number } }
}

func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<2000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("it never came true")
}
