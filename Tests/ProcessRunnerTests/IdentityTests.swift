import FleetPluginAPI
import FoundationEssentials
import Glibc
@testable import ProcessRunner
import Testing

@Suite struct IdentityTests {
    @Test func aDetachedProcessIsFoundAgainAndEnded() async throws {
        let process = try await Command(["/bin/sleep", "600"]).startDetached()
        let data = try JSONEncoder().encode(process.identity)
        let remembered = try JSONDecoder().decode(ProcessIdentity.self, from: data)
        #expect(remembered == process.identity)
        #expect(remembered.isAlive)
        #expect(getsid(remembered.pid) == remembered.pid)
        #expect(remembered.sessionMembers().map(\.pid) == [remembered.pid])
        let error = await #expect(throws: FleetError.self) {
            try await remembered.waitGone(deadline: .milliseconds(20))
        }
        #expect(error?.code == .timedOut)
        #expect(try remembered.signal(SIGTERM))
        try await remembered.waitGone(deadline: .seconds(20))
        #expect(!remembered.isAlive)
        #expect(try await process.status() == .signalled(SIGTERM))
        #expect(try remembered.signal(SIGTERM) == false)
        try await remembered.waitGone(deadline: .zero)
    }

    @Test func anotherProcessWithTheSamePidIsNotMistaken() async throws {
        let process = try await Command(["/bin/sleep", "600"]).startDetached()
        defer { _ = try? process.identity.signal(SIGKILL) }
        var earlier = process.identity
        earlier.startTicks -= 1
        var otherBoot = process.identity
        otherBoot.boot = "another"
        for stranger in [earlier, otherBoot] {
            #expect(!stranger.isAlive)
            #expect(try stranger.signal(SIGKILL) == false)
            #expect(stranger.sessionMembers().isEmpty)
        }
        #expect(process.identity.isAlive)
    }

    @Test func itsOutputGoesToFiles() async throws {
        let path = "/tmp/fleet-process-\(UInt64.random(in: .min ... .max))"
        defer { unlink(path) }
        for _ in 0..<2 {
            let process = try await shell("echo out; cat; echo err >&2") { $0.input = Array("in\n".utf8) }
                .startDetached(output: .appended(path), errors: .appended(path))
            #expect(try await process.status() == .exited(0))
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "out\nin\nerr\nout\nin\nerr\n")
    }

    @Test func cancellingItsStarterDoesNotEndIt() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await Command(["/bin/sleep", "600"]).startDetached()
        }
        let identity = try await task.value.identity
        try await Task.sleep(for: .milliseconds(50))
        #expect(identity.isAlive)
        try identity.signal(SIGKILL)
    }

    @Test func aDetachedProgramThatIsMissingIsAnError() async throws {
        let error = await #expect(throws: FleetError.self) { try await Command(["/nowhere/p"]).startDetached() }
        #expect(error?.code == .notFound)
    }

    @Test func membersOfASessionAreFoundWithoutTheirLeader() async throws {
        let process = try await shell("sleep 600 & sleep 601 & exit 0").startDetached()
        _ = try await process.status()
        let members = process.identity.sessionMembers()
        #expect(members.count == 2)
        for member in members { try member.signal(SIGKILL) }
        for member in members { try await member.waitGone(deadline: .seconds(20)) }
        #expect(process.identity.sessionMembers().isEmpty)
    }

    @Test func waitingIsCancelled() async throws {
        let process = try await Command(["/bin/sleep", "600"]).startDetached()
        let task = Task { try await process.identity.waitGone(deadline: .seconds(600)) }
        try await Task.sleep(for: .milliseconds(20))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try process.identity.signal(SIGKILL)
    }

    @Test func manyWaitAtOnce() async throws {
        let process = try await shell("sleep 0.2").startDetached()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { try await process.identity.waitGone(deadline: .seconds(20)) } }
            try await group.waitForAll()
        }
    }

    @Test func namesWithParenthesesAndSpacesAreRead() throws {
        let tail = "S 1 77 88 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1"
        for name in ["(a)", "(a b)", "(a) b)", "() S 1 2 (3)", "(\u{1F600})"] {
            let stat = try #require(ProcessStat("123 \(name) \(tail)"))
            #expect(stat.pid == 123 && stat.session == 88 && stat.startTicks == 4242 && stat.state == UInt8(ascii: "S"))
        }
        for text in ["", "1", "1 (", "1 (a) S", ") 1 (", "x (a) \(tail)"] { #expect(ProcessStat(text) == nil) }
    }
}

@Suite struct AccountTests {
    @Test func rootIsFoundByNameAndNumber() async throws {
        let root = try await UserAccount.named("root")
        #expect(root.userID == 0 && root.groups.contains(0))
        #expect(try await UserAccount.withID(0) == root)
        #expect(await UserAccount.current().userID == geteuid())
    }

    @Test func nobodyIsNotFound() async throws {
        let error = await #expect(throws: FleetError.self) { try await UserAccount.named("no-such-user-here") }
        #expect(error?.code == .notFound)
    }

    @Test func executablesAreFoundInPath() {
        #expect(ExecutableSearch.find("sh", in: "/nowhere::relative:/bin") == "/bin/sh")
        #expect(ExecutableSearch.find("/bin/sh") == "/bin/sh")
        #expect(ExecutableSearch.find("/etc/passwd") == nil)
        #expect(ExecutableSearch.find("share", in: "/usr") == nil)
        #expect(ExecutableSearch.find("") == nil)
    }
}
