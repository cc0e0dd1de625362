import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import Testing

@testable import FleetStore

/// Several processes on one file, and processes that are killed.
@Suite struct ProcessTests {
    @Test(arguments: 0..<4)
    func keepsWhatAKilledWriterWasToldIsWritten(_ round: Int) async throws {
        try await withStore(.sqlite) { fixture in
            try await fixture.createRun("r-1")
            let writer = try await Writer.start("work", fixture.scratch, "r-1")
            try await writer.waitForLines(10 + round * 7)
            await writer.kill()

            let store = try await fixture.connect()
            let acknowledged = writer.lines.compactMap(Int64.init)
            let events = try await store.events(of: "r-1", after: 0, limit: 100_000)
            #expect(events.map(\.sequence) == Array(1...Int64(events.count)))
            #expect(acknowledged == Array(1...Int64(acknowledged.count)))
            // One more may have been written than could be reported.
            #expect(events.count == acknowledged.count || events.count == acknowledged.count + 1)
            #expect(try await store.steps(of: "r-1")[0].attempts == events.count)
            #expect(events.last?.message == "attempt \(events.count)")
        }
    }

    @Test func forgetsATransactionThatWasNotCommitted() async throws {
        try await withStore(.sqlite) { fixture in
            try await fixture.createRun("r-1")
            try await fixture.createRun("r-2", state: .succeeded)
            // Expired, so that the writer gives it away before it asks whether the other lease's owner is dead.
            let own = try await fixture.store.acquire(
                run: "r-1", resources: ["instance/own"], owner: .sample(1), duration: .zero,
                now: Timestamp(microseconds: 0), isOwnerDead: { _ in false })
            _ = try await fixture.store.acquire(
                run: "r-2", resources: ["instance/orders"], owner: .sample(2), duration: .seconds(1_000_000_000),
                now: fixture.clock.now, isOwnerDead: { _ in false })
            let writer = try await Writer.start("stall", fixture.scratch, "r-1")
            try await writer.waitForLines(1)
            // Readers are not held up by a writer.
            #expect(try await fixture.store.lease(of: "r-1") == own)
            await writer.kill()
            #expect(try await fixture.store.lease(of: "r-1") == own)
            try await fixture.store.appendEvent(run: "r-1", kind: "k", message: "m", lease: own)
        }
    }

    @Test func numbersEventsOfSeveralProcessesWithoutGaps() async throws {
        try await withStore(.sqlite) { fixture in
            try await fixture.createRun("r-1")
            let writers = [
                try await Writer.start("append", fixture.scratch, "r-1", name: "a"),
                try await Writer.start("append", fixture.scratch, "r-1", name: "b"),
            ]
            for number in 1...50 {
                try await fixture.store.appendEvent(run: "r-1", kind: "k", message: "here \(number)", lease: nil)
            }
            for writer in writers { #expect(await writer.process.wait() == 0) }
            let events = try await fixture.store.events(of: "r-1", after: 0, limit: 1000)
            #expect(events.map(\.sequence) == Array(1...150))
            let byWriter = Dictionary(grouping: events) { $0.message.prefix { $0 != " " } }
            #expect(byWriter.count == 3)
            for (name, events) in byWriter {
                #expect(events.map(\.message) == (1...50).map { "\(name) \($0)" })
            }
        }
    }

    @Test func isMadeOnceByProcessesThatStartTogether() async throws {
        try await withScratch { scratch in
            var writers: [Writer] = []
            for number in 0..<4 { writers.append(try await Writer.start("audit", scratch, "-", name: "\(number)")) }
            for writer in writers { #expect(await writer.process.wait() == 0, "\(writer.lines)") }
            #expect(Set(writers.flatMap(\.lines)) == ["1", "2", "3", "4"])
            let store = try await SQLiteStore.open(path: scratch.path("state.db"))
            #expect(try await store.verifyAudit() == nil)
            try await store.close()
        }
    }
}

/// A `StateWriter` on the fixture's file.
private struct Writer {
    let process: ChildProcess
    let output: String

    static func start(
        _ mode: String, _ scratch: ScratchDirectory, _ run: String, name: String = "writer"
    ) async throws -> Writer {
        let output = scratch.path("\(name).out")
        // Built beside the test bundle.
        let folder = CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let process = try await ChildProcess.start(
            [folder.joined(separator: "/") + "/StateWriter", mode, scratch.path("state.db"), run], output: output)
        scratch.onCleanUp {
            process.signal(SIGKILL)
            _ = await process.wait()
        }
        return Writer(process: process, output: output)
    }

    var lines: [String] {
        let text = FileManager.default.contents(atPath: output).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    func waitForLines(_ count: Int) async throws {
        while lines.count < count {
            try #require(process.isRunning, "the writer ended: \(lines)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func kill() async {
        process.signal(SIGKILL)
        _ = await process.wait()
    }
}
