import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Synchronization
import Testing
import WebhookNotifier

private let secretValue = "Bearer t0ken-t0ken"
private let notice = Notice(
    event: .runFailed, time: Timestamp(microseconds: 1_766_053_800_000_000), run: "r-1", title: "restore failed",
    text: "a step failed", details: ["step": "promote"])

private final class Received: Sendable {
    private let requests = Mutex<[LocalRequest]>([])
    func add(_ request: LocalRequest) { requests.withLock { $0.append(request) } }
    var all: [LocalRequest] { requests.withLock { $0 } }
}

private func notifier(_ options: [String: JSONValue], secret: String = secretValue) throws -> WebhookNotifier {
    try WebhookNotifier(
        PluginContext(
            name: "chat", stateDirectory: "/nowhere", agent: AgentInvocation(executable: "/nowhere", configuration: ""),
            resolve: { _ in Secret(secret) }),
        PluginOptions(options))
}

@Suite struct WebhookNotifierTests {
    @Test func theNoticeIsPosted() async throws {
        let received = Received()
        let server = try LocalServer.answering { request, _ in
            received.add(request)
            return ok("")
        }
        defer { server.stop() }
        try await notifier(["url": .string("\(server.url)/hook"), "secret": ["env": "T"]]).notify(notice)
        let request = try #require(received.all.first)
        #expect(request.line == "POST /hook HTTP/1.1")
        #expect(request.header("content-type") == "application/json")
        #expect(request.header("authorization") == secretValue)
        #expect(try JSONDecoder().decode(Notice.self, from: Data(request.body)) == notice)
    }

    @Test func deliveryIsRepeatedUnderOneNumber() async throws {
        let received = Received()
        let server = try LocalServer.answering { request, number in
            received.add(request)
            return number < 3 ? "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n" : ok("")
        }
        defer { server.stop() }
        try await notifier(["url": .string(server.url)]).notify(notice)
        #expect(received.all.count == 3)
        #expect(Set(received.all.map { $0.header("fleet-delivery") ?? "" }).count == 1)
    }

    @Test func aSilentServerHoldsNobodyUpForLong() async throws {
        let server = try LocalServer { connection in connection.waitForEnd() }
        defer { server.stop() }
        let error = await #expect(throws: FleetError.self) {
            try await notifier(["url": .string(server.url), "timeout": "300ms"]).notify(notice)
        }
        #expect(error?.code == .timedOut)
    }

    @Test(arguments: [
        (401, FleetError.Code.denied), (403, .denied), (404, .notFound), (410, .notFound), (400, .failed),
    ])
    func refusalsHaveTheirCodes(_ status: Int, _ code: FleetError.Code) async throws {
        let server = try LocalServer.answering { _, _ in
            "HTTP/1.1 \(status) No\r\nContent-Length: 12\r\n\r\nt0ken-t0ken!"
        }
        defer { server.stop() }
        let error = await #expect(throws: FleetError.self) {
            try await notifier(["url": .string("\(server.url)/?key=t0ken"), "secret": ["env": "T"]]).notify(notice)
        }
        #expect(error?.code == code)
        #expect(error?.description.contains("t0ken") == false)
        #expect(server.requests == 1)
    }

    @Test func aSecretURLIsNotTold() async throws {
        let server = try LocalServer.answering { _, _ in "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" }
        defer { server.stop() }
        let hook = try notifier(["urlSecret": ["env": "U"]], secret: "\(server.url)/services/t0ken")
        let error = await #expect(throws: FleetError.self) { try await hook.notify(notice) }
        #expect(error?.code == .notFound)
        #expect(error?.description.contains("t0ken") == false)
    }

    @Test func onlySelectedEventsAreDelivered() async throws {
        let server = try LocalServer.answering { _, _ in ok("") }
        defer { server.stop() }
        try await notifier(["url": .string(server.url), "events": ["approvalNeeded"]]).notify(notice)
        #expect(server.requests == 0)
        try await notifier(["url": .string(server.url), "events": ["approvalNeeded", "runFailed"]]).notify(notice)
        #expect(server.requests == 1)
    }

    @Test func optionsThatMakeNoSenseAreRefused() {
        let wrong: [[String: JSONValue]] = [
            [:], ["url": "http://x/", "urlSecret": ["env": "U"]], ["url": "http://x/", "events": ["runStarts"]],
        ]
        for options in wrong {
            let error = #expect(throws: FleetError.self) { try notifier(options) }
            #expect(error?.code == .configuration)
        }
    }
}
