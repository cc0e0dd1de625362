import DurableFiles
import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import LogNotifier
import Testing

private func notifier(_ options: [String: JSONValue]) throws -> LogNotifier {
    try LogNotifier(
        PluginContext(
            name: "log", stateDirectory: "/nowhere", agent: AgentInvocation(executable: "/nowhere", configuration: ""),
            resolve: { _ in throw FleetError(.failed, "no secret is expected here") }),
        PluginOptions(options))
}

private func notice(_ number: Int, _ event: Notice.Event = .runFinished) -> Notice {
    Notice(
        event: event, time: Timestamp(microseconds: 1_766_053_800_000_000), run: "r-\(number)", title: "a \"title\"",
        text: "two\nlines", details: ["n": .integer(Int64(number))])
}

@Suite struct LogNotifierTests {
    @Test func everyNoticeIsALineOfJSON() async throws {
        try await withScratch { scratch in
            let path = scratch.path("logs/fleet.jsonl")
            let log = try notifier(["path": .string(path)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 { group.addTask { try await log.notify(notice(number)) } }
                try await group.waitForAll()
            }
            let lines = String(decoding: try BlockingDisk.read(path), as: UTF8.self).split(separator: "\n")
            let read = try lines.map { try JSONDecoder().decode(Notice.self, from: Data($0.utf8)) }
            #expect(Set(read) == Set((0..<20).map { notice($0) }))
            #expect(read.count == 20)
            #expect(try BlockingDisk.status(path)?.mode == 0o640)
        }
    }

    @Test func onlySelectedEventsAreWritten() async throws {
        try await withScratch { scratch in
            let path = scratch.path("fleet.jsonl")
            let log = try notifier(["path": .string(path), "events": ["runFailed"]])
            try await log.notify(notice(1))
            #expect(try BlockingDisk.status(path) == nil)
            try await log.notify(notice(2, .runFailed))
            #expect(try BlockingDisk.status(path) != nil)
        }
    }

    @Test func aFullDiskIsAnError() async throws {
        let log = try notifier(["path": "/dev/full"])
        let error = await #expect(throws: FleetError.self) { try await log.notify(notice(1)) }
        #expect(error?.code == .exhausted)
    }

    @Test func withoutAPathThereIsNoLog() {
        let error = #expect(throws: FleetError.self) { try notifier([:]) }
        #expect(error?.code == .configuration)
    }
}
