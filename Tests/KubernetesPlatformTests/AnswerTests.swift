import FleetPluginAPI
import FleetTestSupport
import Glibc
import Testing

@testable import KubernetesPlatform

struct AnswerTextTests {
    @Test func everyAnswerComesBackWhole() throws {
        var random = SystemRandomNumberGenerator()
        for size in [0, 1, 5999, 6000, 6001, 100_000] + (0..<20).map({ _ in Int.random(in: 0...50_000) }) {
            let output = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let lines = try AnswerText.lines(output, .status(7))
            #expect(lines.allSatisfy { $0.utf8.count <= WrappedLine.limit })
            let answer = try #require(AnswerText.read(lines, limit: size))
            #expect(answer.output == output)
            #expect(answer.end == .status(7))
        }
    }

    /// What a log has lost or changed is never taken for an answer.
    @Test func brokenAnswersAreNone() throws {
        var random = SystemRandomNumberGenerator()
        let output = (0..<30_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let lines = try AnswerText.lines(output, .status(0))
        #expect(AnswerText.read([], limit: 30_000) == nil)
        #expect(AnswerText.read(Array(lines.dropLast()), limit: 30_000) == nil)
        #expect(AnswerText.read(lines, limit: 29_999) == nil)
        for index in lines.indices.dropLast() {
            var broken = lines
            broken.remove(at: index)
            #expect(AnswerText.read(broken, limit: 30_000) == nil)
            broken = lines
            let position = Int.random(in: 0..<lines[index].utf8.count, using: &random)
            var bytes = Array(lines[index].utf8)
            bytes[position] = UInt8.random(in: 0x20...0x7E, using: &random)
            broken[index] = String(decoding: bytes, as: UTF8.self)
            let read = AnswerText.read(broken, limit: 30_000)
            #expect(read == nil || read?.output == output)
        }
    }

    @Test func anyLinesAreReadWithoutTrouble() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let lines = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: .min ... .max) }
                return Bool.random() ? String(decoding: bytes, as: UTF8.self) : "end \(bytes.count)"
            }
            _ = AnswerText.read(lines, limit: 1000)
        }
    }

    @Test func callsAreReadAsTheyAreWritten() {
        let call = AnswerCall(deadline: .milliseconds(1500), limit: 10, argv: ["p", "--", "a b", ""])
        #expect(AnswerCall(Array(call.command.dropFirst(3))) == call)
        for wrong in [[], ["--deadline", "1"], ["--deadline", "0", "--limit", "1", "--", "p"]] as [[String]] {
            #expect(AnswerCall(wrong) == nil)
        }
    }

    @Test func questionsAreToldApart() {
        let plain = PlaceQuery(argv: ["a", "b"])
        var queries = [plain, PlaceQuery(argv: ["a b"]), PlaceQuery(argv: ["a", "b"], environment: ["x": "y"])]
        queries.append(PlaceQuery(argv: ["a", "b"], secrets: ["x": .environment("y")]))
        queries.append(PlaceQuery(argv: ["a", "b"], outputLimit: 1))
        #expect(Set(queries.map(QueryKey.key)).count == queries.count)
        #expect(QueryKey.key(plain) == QueryKey.key(plain))
        #expect(queries.allSatisfy { QueryKey.isKey(QueryKey.key($0)) })
    }
}

/// What is run in a server's container, run here.
struct ContainerCommandTests {
    private func ask(_ argv: [String], owner: String, _ environment: [String: String] = [:]) async throws -> ToolResult
    {
        try await runTool(
            ContainerCommand.argv(PlaceQuery(argv: argv, environment: environment), owner: owner), directory: "/")
    }

    @Test(.enabled("only root becomes somebody else") { geteuid() == 0 })
    func rootBecomesTheOwner() async throws {
        let answer = try await ask(["sh", "-c", "id -un; id -gn; echo $0 $X", "a b"], owner: "postgres", ["X": "y z"])
        #expect(answer.text == "postgres\npostgres\na b y z\n")
        let nobody = try await ask(["id"], owner: "no-such-user")
        let told = QueryAnswer(exitStatus: nobody.exitCode, output: nobody.output, errors: nobody.errors)
        #expect(ContainerCommand.isRefusal(told) && told.output.isEmpty)
    }

    @Test func statusesAreTheProgramsOwn() async throws {
        let owner = "\(geteuid() == 0 ? "root" : "anyone")"
        #expect(try await ask(["sh", "-c", "exit 125"], owner: owner).exitCode == 125)
        #expect(try await ask(["no-such-program"], owner: owner).exitCode == 127)
    }
}

@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct QueryTests {
    /// While the server runs it is asked in its container, and no Job is made.
    @Test func aRunningServersContainerIsAsked() async throws {
        try await PlatformFixture.lend { fixture in
            let platform = try fixture.platform()
            func ask(_ script: String, seconds: Int64 = 30, limit: Int = 64 << 20) async throws -> QueryAnswer {
                try await platform.query(
                    PlaceQuery(
                        argv: ["/bin/sh", "-c", script, "a b", "$(HOME)"], environment: ["GREETING": "good day; $x"],
                        deadline: .seconds(seconds), outputLimit: limit), of: fixture.instance)
            }
            let answer = try await ask(
                #"printf '%s|%s|%s\0' "$GREETING" "$0" "$1"; id -u; hostname; echo wrong >&2; exit 7"#)
            #expect(answer.exitStatus == 7)
            #expect(answer.output == Array("good day; $x|a b|$(HOME)\0999\npostgres-0\n".utf8))
            #expect(answer.errors == "wrong\n")
            #expect(try await ask("kill -9 $$").exitStatus == 137)
            let large = try await ask("head -c 9000000 /dev/zero")
            #expect(large.output.count == 9_000_000)
            for (code, script) in [(FleetError.Code.exhausted, "cat /dev/zero"), (.timedOut, "sleep 77 & wait")] {
                let error = await #expect(throws: FleetError.self) { try await ask(script, seconds: 3, limit: 1000) }
                #expect(error?.code == code, "\(String(describing: error))")
            }
            let missing = try await platform.query(PlaceQuery(argv: ["no-such-program"]), of: fixture.instance)
            #expect(missing.exitStatus == 127)
            #expect(try await fixture.namespace.kubectl("get", "jobs", "--output", "name").isEmpty)
            // What nobody waits for any more does not stay.
            try await fixture.namespace.waitUntil("the late program was ended") {
                let processes = try await fixture.namespace.execInPod(
                    "postgres-0", container: "postgres", ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
                return !processes.text.contains("sleep 77 ")
            }
        }
    }

    @Test func aJobAnswersWhereNoServerRuns() async throws {
        try await PlatformFixture.lend { fixture in
            try await fixture.scale(0)
            let platform = try fixture.platform()
            let query = PlaceQuery(argv: [
                "sh", "-c", "head -c 3000000 /dev/urandom; cat /data/pg/PG_VERSION; date >&2",
            ])
            // What a crashed coordinator left is not taken for an answer of now.
            let first = try await platform.query(query, of: fixture.instance)
            #expect(first.output.count == 3_000_000 + "\(fixture.bench.postgresMajor)\n".utf8.count)
            let key = QueryKey.key(query)
            try await platform.launch(fixture.task(key, "echo end 0"), for: fixture.instance)
            _ = try await fixture.finish(key, platform)
            // Two at once, and one of another coordinator's.
            async let second = platform.query(query, of: fixture.instance)
            async let third = platform.query(query, of: fixture.instance)
            let answers = try await [second, third]
            #expect(answers.allSatisfy { $0.output.count == first.output.count && $0.output != first.output })
            #expect(answers.allSatisfy { !$0.errors.isEmpty })
            let left = try await fixture.namespace.kubectl(
                "get", "jobs,secrets", "--output", "name", "-l", "app.kubernetes.io/managed-by=fleet")
            #expect(left.isEmpty, "\(left)")
        }
    }
}
