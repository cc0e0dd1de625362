import FleetPluginAPI
import FleetTestSupport
import HTTPClient
import Synchronization
import Testing

@testable import KubernetesClient

/// Faults that a real API server cannot be made to show when they are wanted.
@Suite struct FaultTests {
    private func client(_ server: LocalServer) throws -> KubernetesClient {
        let configuration = KubernetesConfiguration(
            contextName: "c", server: server.url, defaultNamespace: "n", credentials: UserCredentials(name: "me"))
        return try KubernetesClient(
            configuration,
            options: .init(retry: RetryPolicy(firstPause: .milliseconds(1), longestPause: .milliseconds(5))))
    }

    private static func status(_ code: Int, _ reason: String, _ headers: String = "") -> String {
        let body = #"{"kind":"Status","status":"Failure","reason":"\#(reason)","message":"m","code":\#(code)}"#
        return "HTTP/1.1 \(code) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func object(_ name: String, _ version: Int) -> String {
        #"{"kind":"Pod","metadata":{"name":"\#(name)","resourceVersion":"\#(version)"}}"#
    }

    private static func list(_ names: [String], _ version: Int, next: String = "") -> String {
        let items = names.map { object($0, version) }.joined(separator: ",")
        return ok(
            #"{"kind":"PodList","metadata":{"resourceVersion":"\#(version)","continue":"\#(next)"},"items":[\#(items)]}"#
        )
    }

    private let pod = ObjectReference(.pods, namespace: "n", name: "p")

    @Test func busyServersAreAskedAgain() async throws {
        let server = try LocalServer.answering { request, count in
            switch count {
            case 1: Self.status(429, "TooManyRequests", "Retry-After: 0\r\n")
            case 2: Self.status(503, "ServiceUnavailable")
            default: ok(Self.object("p", count))
            }
        }
        defer { server.stop() }
        #expect(try await client(server).get(pod).objectName == "p")
        #expect(server.requests == 3)
    }

    /// A creation whose answer was lost may have been carried out: it is not repeated. One that was refused is.
    @Test func creationsAreRepeatedOnlyWhereNothingWasDone() async throws {
        let lost = try LocalServer { connection in _ = connection.readRequest() }
        defer { lost.stop() }
        let error = await failure {
            try await client(lost).create(["metadata": ["name": "p"]], kind: .pods, namespace: "n")
        }
        #expect(error?.code == .unavailable && lost.requests == 1)
        let internalError = try LocalServer.answering { _, _ in Self.status(500, "InternalError") }
        defer { internalError.stop() }
        _ = await failure {
            try await client(internalError).create(["metadata": ["name": "p"]], kind: .pods, namespace: "n")
        }
        #expect(internalError.requests == 1)
        let busy = try LocalServer.answering { _, count in
            count < 3 ? Self.status(429, "TooManyRequests") : ok(Self.object("p", 1))
        }
        defer { busy.stop() }
        _ = try await client(busy).create(["metadata": ["name": "p"]], kind: .pods, namespace: "n")
        #expect(busy.requests == 3)
    }

    @Test func aListThatExpiresBetweenPagesBeginsAgain() async throws {
        let hasExpired = Mutex(false)
        let server = try LocalServer.answering { request, _ in
            if request.line.contains("continue=old") {
                hasExpired.withLock { $0 = true }
                return Self.status(410, "Expired")
            }
            if request.line.contains("continue=new") { return Self.list(["c"], 2) }
            return hasExpired.withLock { $0 }
                ? Self.list(["a", "b"], 2, next: "new") : Self.list(["x"], 1, next: "old")
        }
        defer { server.stop() }
        let list = try await client(server).list(.pods, namespace: "n")
        #expect(list.items.compactMap(\.objectName) == ["a", "b", "c"] && list.resourceVersion == "2")
    }

    /// Cut in the middle of an event, told 410 in both ways, refused for a while: nothing is missed.
    @Test func aWatchSurvivesWhatServersDo() async throws {
        let watches = Mutex(0)
        let asked = Mutex<[String]>([])
        let server = try LocalServer { connection in
            while let request = connection.readRequest() {
                guard request.line.contains("watch=true") else {
                    connection.write(Self.list(["l\(watches.withLock { $0 })"], 10))
                    continue
                }
                let version = request.line.split(separator: "&").first { $0.hasPrefix("resourceVersion=") } ?? ""
                asked.withLock { $0.append(String(version.dropFirst(16))) }
                let number = watches.withLock { watches in
                    watches += 1
                    return watches
                }
                func event(_ type: String, _ object: String) -> String {
                    #"{"type":"\#(type)","object":\#(object)}"# + "\n"
                }
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                switch number {
                case 1:
                    let whole = head + event("ADDED", Self.object("a", 11)) + event("BOOKMARK", Self.object("", 15))
                    connection.write(whole + event("MODIFIED", Self.object("a", 16)).prefix(30))
                    return
                case 2: connection.write(Self.status(503, "ServiceUnavailable"))
                case 3:
                    connection.write(head + event("MODIFIED", Self.object("a", 16)))
                    return
                case 4: connection.write(Self.status(410, "Expired"))
                case 5:
                    let gone = #"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#
                    connection.write(head + event("ADDED", Self.object("b", 17)) + event("ERROR", gone))
                    return
                default:
                    connection.write(head + event("DELETED", Self.object("b", 18)))
                    connection.waitForEnd()
                }
            }
        }
        defer { server.stop() }
        var seen: [String] = []
        for try await event in try client(server).watch(.pods, namespace: "n") {
            switch event {
            case .synced(let objects): seen.append("synced \(objects.compactMap(\.objectName))")
            case .added(let object): seen.append("added \(object.objectName ?? "")")
            case .modified(let object): seen.append("modified \(object.objectName ?? "")")
            case .deleted(let object): seen.append("deleted \(object.objectName ?? "")")
            }
            if seen.count == 7 { break }
        }
        #expect(
            seen == [
                #"synced ["l0"]"#, "added a", "modified a", #"synced ["l4"]"#, "added b", #"synced ["l5"]"#,
                "deleted b",
            ])
        #expect(asked.withLock { $0 } == ["10", "15", "15", "16", "10", "10"])
    }

    @Test func aWatchThatIsForbiddenEnds() async throws {
        let server = try LocalServer.answering { request, _ in
            if request.line.hasPrefix("POST") { return ok(#"{"kind":"x","status":{"allowed":false}}"#) }
            return request.line.contains("watch=true") ? Self.status(403, "Forbidden") : Self.list([], 1)
        }
        defer { server.stop() }
        let error = await failure { for try await _ in try client(server).watch(.pods, namespace: "n") {} }
        #expect(error?.code == .denied && error?.hint?.contains("“watch”") == true)
    }

    /// A log that is cut again and again, in the middle of lines.
    @Test func aLogThatIsCutIsReadOnce() async throws {
        let lines = (0..<50).map { "2026-01-02T03:04:\($0 / 10 + 10).\(100 + $0)Z line \($0)" }
        let ended = Mutex(false)
        let server = try LocalServer { connection in
            while let request = connection.readRequest() {
                guard request.line.contains("/log?") else {
                    let state = ended.withLock { $0 } ? "terminated" : "running"
                    connection.write(
                        ok(
                            #"{"status":{"containerStatuses":[{"name":"main","restartCount":0,"state":{"\#(state)":{}}}]}}"#
                        ))
                    continue
                }
                let since = request.line.split(separator: "sinceTime=").dropFirst().first?.prefix(27) ?? ""
                let seconds = Int(since.split(separator: "%3A").last?.prefix(2) ?? "0") ?? 0
                let rest = lines.filter { (Int($0.dropFirst(17).prefix(2)) ?? 0) >= seconds }
                let text = rest.map { $0 + "\n" }.joined()
                let isWhole = rest.count <= 25
                if isWhole { ended.withLock { $0 = true } }
                let head = "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                guard isWhole else {
                    // Some seconds of it, and then the connection breaks.
                    connection.write(head + text.prefix(31 * 25 + 7))
                    return connection.reset()
                }
                connection.write(head + text)
            }
        }
        defer { server.stop() }
        var read: [String] = []
        for try await line in try client(server).logs(
            pod: "p", namespace: "n", container: "main", options: LogOptions(follow: true))
        {
            read.append(line.text)
        }
        #expect(read == (0..<50).map { "line \($0)" })
    }

    @Test func secretsOfARefusalAreNotRepeated() async throws {
        let causes: JSONValue = [["field": "data.password", "message": "Invalid value: \"hunter2\""]]
        let status = KubernetesStatus(
            code: 422,
            body: [
                "kind": "Status", "code": 422, "reason": "Invalid", "message": "hunter2",
                "details": ["name": "s", "causes": causes],
            ])
        let server = try LocalServer.answering { _, _ in nil }
        defer { server.stop() }
        let client = try client(server)
        let secret = status.error(AccessCheck("create", .secrets, namespace: "n", name: "s"), client)
        #expect(secret.cause == "wrong: data.password" && !secret.description.contains("hunter2"))
        let other = status.error(AccessCheck("create", .configMaps, namespace: "n", name: "s"), client)
        #expect(other.cause == "data.password: Invalid value: \"hunter2\"")
    }
}
