import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import HTTPProbe

private let secretValue = "Bearer t0ken-t0ken"

private func context(_ resolve: @escaping SecretResolver = { _ in Secret(secretValue) }) -> PluginContext {
    PluginContext(
        name: "backend", stateDirectory: "/nowhere", agent: AgentInvocation(executable: "/nowhere", configuration: ""),
        resolve: resolve)
}

private func judge(_ options: [String: JSONValue], deadline: Duration = .seconds(20)) async throws -> ProbeVerdict {
    let probe = try HTTPProbe(context(), PluginOptions(options))
    return await probe.judge(ProbeContext(endpoints: [:], servers: NoServers(), deadline: deadline))
}

extension ProbeVerdict {
    var kind: String {
        switch self {
        case .pass: "pass"
        case .fail: "fail"
        case .inconclusive: "inconclusive"
        }
    }

    var text: String {
        switch self {
        case .pass(let text), .fail(let text), .inconclusive(let text): text
        }
    }
}

@Suite struct HTTPProbeTests {
    @Test func theStatusDecides() async throws {
        let server = try LocalServer.answering { request, _ in
            let status = request.line.split(separator: " ")[1].dropFirst()
            return "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\nLocation: /200\r\n\r\n"
        }
        defer { server.stop() }
        #expect(try await judge(["url": .string("\(server.url)/200")]).kind == "pass")
        #expect(try await judge(["url": .string("\(server.url)/204"), "status": 204]).kind == "pass")
        for status in [204, 302, 404, 500, 503] {
            let verdict = try await judge(["url": .string("\(server.url)/\(status)")])
            #expect(verdict.kind == "fail" && verdict.text.contains("\(status)"))
        }
        #expect(try await judge(["url": .string("\(server.url)/200"), "method": "HEAD"]).kind == "pass")
    }

    static let document = #"{"status": "up", "checks": [{"ok": true, "a/b": {"m~n": 3}}, {"ok": false}], "n": null}"#

    static let contents: [(options: [String: JSONValue], expected: String)] = [
        (["contains": "\"up\""], "pass"),
        (["contains": "down"], "fail"),
        (["pointer": "/status", "equals": "up"], "pass"),
        (["pointer": "/status", "equals": "down"], "fail"),
        (["pointer": "/checks/0/ok", "equals": true], "pass"),
        (["pointer": "/checks/0/ok"], "pass"),
        (["pointer": "/checks/1/ok"], "fail"),
        (["pointer": "/checks/2/ok"], "fail"),
        (["pointer": "/checks/00/ok"], "fail"),
        (["pointer": "/checks/0/a~1b/m~0n", "equals": 3], "pass"),
        (["pointer": "/checks/0/a~1b/m~0n", "equals": .number(3)], "pass"),
        (["pointer": "/n"], "fail"),
        (["pointer": "/missing"], "fail"),
        (["pointer": "/status/deeper"], "fail"),
        (["pointer": "/checks", "equals": [["ok": true]]], "fail"),
    ]

    @Test(arguments: contents.indices) func theBodyDecides(_ index: Int) async throws {
        let server = try LocalServer.answering { _, _ in ok(Self.document) }
        defer { server.stop() }
        let (options, expected) = Self.contents[index]
        let verdict = try await judge(options.merging(["url": .string(server.url)]) { left, _ in left })
        #expect(verdict.kind == expected, "\(options): \(verdict)")
    }

    @Test(arguments: [
        ("3", "pass"), ("2.5", "pass"), ("\"2.5\"", "pass"), ("1", "fail"), ("4", "fail"), ("\"many\"", "fail"),
        ("null", "fail"),
    ])
    func aNumberLiesBetweenThresholds(_ value: String, _ verdict: String) async throws {
        let body = "{\"data\": {\"result\": [{\"value\": [1700000000, \(value)]}]}}"
        let server = try LocalServer.answering { _, _ in
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        defer { server.stop() }
        let answer = try await judge([
            "url": .string(server.url), "pointer": "/data/result/0/value/1", "atLeast": 2, "atMost": .string("3.5"),
        ])
        #expect(answer.kind == verdict, "\(answer)")
    }

    @Test func whatIsNotJSONFails() async throws {
        let server = try LocalServer.answering { _, _ in ok("<html>") }
        defer { server.stop() }
        #expect(try await judge(["url": .string(server.url), "pointer": "/a"]).kind == "fail")
    }

    @Test func whatDoesNotAnswerFails() async throws {
        let silent = try LocalServer { connection in connection.waitForEnd() }
        defer { silent.stop() }
        let late = try await judge(["url": .string(silent.url), "timeout": "100ms"])
        #expect(late.kind == "fail")
        let sooner = try await judge(["url": .string(silent.url), "timeout": "1h"], deadline: .milliseconds(100))
        #expect(sooner.kind == "fail")
        let gone = try LocalServer.answering { _, _ in nil }
        gone.stop()
        let refused = try await judge(["url": .string(gone.url)])
        #expect(refused.kind == "fail" && refused.text.contains("cannot connect"))
        #expect(try await judge(["url": "http://no-such-host.invalid/"]).kind == "fail")
    }

    @Test func secretsAreSentAndNotTold() async throws {
        let server = try LocalServer.answering { request, _ in
            request.header("authorization") == secretValue ? ok("") : "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
        }
        defer { server.stop() }
        #expect(try await judge(["url": .string(server.url), "secret": ["env": "TOKEN"]]).kind == "pass")
        let other = try await judge(["url": .string(server.url), "secret": ["env": "T"], "header": "X-Other"])
        #expect(other.kind == "fail" && !other.text.contains("t0ken"))
    }

    @Test func whatCouldNotBeAskedIsInconclusive() async throws {
        let probe = try HTTPProbe(
            context { throw FleetError(.configuration, "\($0) is not set") },
            PluginOptions(["url": "http://127.0.0.1:1/", "secret": ["env": "TOKEN"]]))
        let verdict = await probe.judge(ProbeContext(endpoints: [:], servers: NoServers(), deadline: .seconds(5)))
        #expect(verdict.kind == "inconclusive" && verdict.text.contains("env:TOKEN"))
        #expect(try await judge(["url": "not a url"]).kind == "inconclusive")
    }

    @Test func optionsThatMakeNoSenseAreRefused() {
        let wrong: [[String: JSONValue]] = [
            [:], ["url": "http://x/", "equals": 1], ["url": "http://x/", "pointer": "status"],
            ["url": "http://x/", "pointer": "/a~2"], ["url": "http://x/", "method": "HEAD", "contains": "x"],
        ]
        for options in wrong {
            let error = #expect(throws: FleetError.self) { try HTTPProbe(context(), PluginOptions(options)) }
            #expect(error?.code == .configuration)
        }
    }

    /// The examples of RFC 6901, section 5.
    @Test func pointersFollowTheStandard() throws {
        let document: JSONValue = [
            "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7,
            "m~n": 8,
        ]
        let expected: [(String, JSONValue)] = [
            ("", document), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2),
            ("/e^f", 3), ("/g|h", 4), ("/i\\j", 5), ("/k\"l", 6), ("/ ", 7), ("/m~0n", 8),
        ]
        for (text, value) in expected { #expect(try #require(JSONPointer(text)).value(in: document) == value) }
    }
}
