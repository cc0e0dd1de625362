import DurableFiles
import FleetPluginAPI
import Glibc
import Synchronization
import Testing

@Suite struct WriteTests {
    @Test func aWriteReplacesTheWholeFileAndLeavesNothingBehind() async throws {
        try await ScratchDirectory.with { scratch in
            try await Disk().write(Array("a long first version".utf8), to: scratch("deep/er/file"))
            try await Disk().write(Array("short".utf8), to: scratch("deep/er/file"))
            #expect(try text(scratch("deep/er/file")) == "short")
            #expect(try scratch.names("deep/er") == ["file"])
        }
    }

    @Test func anExclusiveWriteNeverReplaces() async throws {
        try await ScratchDirectory.with { scratch in
            try BlockingDisk.write([1], to: scratch("key"), WriteOptions(replaces: false))
            let error = #expect(throws: FleetError.self) {
                try BlockingDisk.write([2], to: scratch("key"), WriteOptions(replaces: false))
            }
            #expect(error?.code == .alreadyExists)
            #expect(error?.message.contains(scratch("key")) == true)
            #expect(try BlockingDisk.read(scratch("key")) == [1])
            #expect(try scratch.names() == ["key"])
        }
    }

    @Test func ofManyExclusiveWritersOneWins() async throws {
        try await ScratchDirectory.with { scratch in
            let winners = await withTaskGroup(of: UInt8?.self) { group in
                for writer in UInt8(0)..<24 {
                    group.addTask {
                        do {
                            let bytes = [UInt8](repeating: writer, count: 10_000)
                            try await Disk().write(bytes, to: scratch("one"), WriteOptions(replaces: false))
                            return writer
                        } catch { return nil }
                    }
                }
                return await group.reduce(into: [UInt8]()) { if let winner = $1 { $0.append(winner) } }
            }
            #expect(winners.count == 1)
            let content = try BlockingDisk.read(scratch("one"))
            #expect(content == [UInt8](repeating: winners[0], count: 10_000))
            #expect(try scratch.names() == ["one"])
        }
    }

    /// Opened early, published late: the decision falls when the name is given.
    @Test func anExclusiveWriterThatIsOvertakenLeavesTheOthersFile() async throws {
        try await ScratchDirectory.with { scratch in
            let slow = try FileWriter(scratch("key"), WriteOptions(replaces: false))
            try slow.append([1, 1])
            try BlockingDisk.write([2], to: scratch("key"))
            let error = #expect(throws: FleetError.self) { try slow.commit() }
            #expect(error?.code == .alreadyExists)
            slow.abandon()
            #expect(try BlockingDisk.read(scratch("key")) == [2])
            #expect(try scratch.names() == ["key"])
        }
    }

    @Test func anUnfinishedWriteIsNotVisibleAndIsRemoved() async throws {
        try await ScratchDirectory.with { scratch in
            do {
                let writer = try FileWriter(scratch("file"))
                try writer.append([1, 2, 3])
                #expect(try BlockingDisk.status(scratch("file")) == nil)
                #expect(try scratch.names().allSatisfy { TemporaryName.matches($0) })
            }
            #expect(try scratch.names() == [])
        }
    }

    @Test func modeAndParentsAreAsAsked() async throws {
        try await ScratchDirectory.with { scratch in
            let previous = umask(0o077)
            defer { umask(previous) }
            try BlockingDisk.write([], to: scratch("a/b"), WriteOptions(mode: 0o644, directoryMode: 0o755))
            #expect(try BlockingDisk.status(scratch("a/b"))?.mode == 0o644)
            #expect(try BlockingDisk.status(scratch("a"))?.mode == 0o755)
            let error = #expect(throws: FleetError.self) {
                try BlockingDisk.write([], to: scratch("c/d"), WriteOptions(directoryMode: nil))
            }
            #expect(error?.code == .notFound)
        }
    }

    /// Who empties a directory prunes it, who needs it makes it again, both at any time.
    @Test func directoriesMayComeAndGoUnderWriters() async throws {
        try await ScratchDirectory.with { scratch in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for _ in 0..<200 {
                            let path = scratch("a/b/c/\(writer)")
                            try await Disk().write([1], to: path)
                            try await Disk().run {
                                try BlockingDisk.remove(path)
                                for directory in ["a/b/c", "a/b", "a"] {
                                    do {
                                        try BlockingDisk.removeEmptyDirectory(scratch(directory))
                                    } catch let error as FleetError where error.code == .alreadyExists { break }
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try scratch.names().isEmpty)
        }
    }

    @Test func aDirectoryThatCannotBeMadeSaysWhy() async throws {
        try await ScratchDirectory.with { scratch in
            try BlockingDisk.write([1], to: scratch("file"))
            try BlockingDisk.makeLink(scratch("link"), to: scratch("nowhere"))
            let causes: [(String, String, FleetError.Code)] = [
                (scratch("file"), scratch("file"), .alreadyExists), (scratch("link"), scratch("link"), .alreadyExists),
                (scratch("file/below/it"), scratch("file"), .alreadyExists),
                ("/proc/fleet/below", "/proc/fleet", .notFound),
            ]
            for (path, named, code) in causes {
                let error = #expect(throws: FleetError.self) { try BlockingDisk.makeDirectories(path) }
                #expect(error?.code == code)
                #expect(error?.message.hasSuffix("the directory \(named)") == true)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func rootGivesFilesAndNewDirectoriesAway() async throws {
        try await ScratchDirectory.with { scratch in
            let owner = FileOwner(user: 4242, group: 4343)
            try BlockingDisk.write([1], to: scratch("a/b/c"), WriteOptions(owner: owner))
            for path in ["a", "a/b", "a/b/c"] { #expect(try BlockingDisk.status(scratch(path))?.owner == owner) }
            #expect(try BlockingDisk.status(scratch.path)?.owner.user == 0)
        }
    }

    @Test func appendedRecordsOfManyTasksStayWhole() async throws {
        try await ScratchDirectory.with { scratch in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        let line = "\(index):\(String(repeating: "x", count: 500))\n"
                        try await Disk().append(Array(line.utf8), to: scratch("log/file"))
                    }
                }
                try await group.waitForAll()
            }
            let lines = try text(scratch("log/file")).split(separator: "\n")
            #expect(lines.count == 20)
            #expect(lines.allSatisfy { $0.hasSuffix(String(repeating: "x", count: 500)) && $0.contains(":") })
        }
    }

    @Test func aFullDiskIsExhausted() throws {
        let error = #expect(throws: FleetError.self) { try BlockingDisk.append([1], to: "/dev/full") }
        #expect(error?.code == .exhausted)
        #expect(error?.message.contains("/dev/full") == true)
        #expect(error?.hint?.contains("free space") == true)
    }

    @Test(arguments: [
        (ENOSPC, FleetError.Code.exhausted), (EDQUOT, .exhausted), (EACCES, .denied), (EROFS, .denied),
        (ENOENT, .notFound), (EEXIST, .alreadyExists), (EIO, .unavailable), (ESTALE, .unavailable),
        (EUCLEAN, .corrupted), (EBUSY, .conflict),
    ])
    func systemErrorsHaveTheirCodes(_ number: Int32, _ code: FleetError.Code) {
        let error = FleetError(errno: number, "cannot open /a")
        #expect(error.code == code)
        #expect(error.cause?.isEmpty == false)
    }

    @Test func batchesPublishEverythingOrNothingVisible() async throws {
        try await ScratchDirectory.with { scratch in
            for (count, threshold) in [(5, 16), (40, 16), (600, 64)] {
                let batch = WriteBatch(barrierThreshold: threshold)
                for index in 0..<count {
                    try batch.write([UInt8(index % 251)], to: scratch("\(count)/\(index % 7)/\(index)"))
                }
                for index in 0..<min(7, count) {
                    let names = try scratch.names("\(count)/\(index)")
                    #expect(names.allSatisfy { TemporaryName.matches($0) })
                }
                try batch.commit()
                for index in 0..<count {
                    #expect(try BlockingDisk.read(scratch("\(count)/\(index % 7)/\(index)")) == [UInt8(index % 251)])
                }
                #expect(try scratch.names("\(count)/0").allSatisfy { !TemporaryName.matches($0) })
            }
            let abandoned = WriteBatch()
            try abandoned.write([1], to: scratch("gone/a"))
            abandoned.abandon()
            #expect(try scratch.names("gone") == [])
        }
    }
}

@Suite struct ReadTests {
    @Test func rangesAreCutAtTheEnd() async throws {
        try await ScratchDirectory.with { scratch in
            try BlockingDisk.write(Array(0..<100), to: scratch("file"))
            #expect(try await Disk().read(scratch("file"), range: 10..<13) == [10, 11, 12])
            #expect(try await Disk().read(scratch("file"), range: 98..<500) == [98, 99])
            #expect(try await Disk().read(scratch("file"), range: 500..<600) == [])
            #expect(try await Disk().read(scratch("file")).count == 100)
            let error = await #expect(throws: FleetError.self) { try await Disk().read(scratch("file"), limit: 99) }
            #expect(error?.code == .exhausted)
        }
    }

    @Test func whatIsMissingOrNoFileIsAnError() async throws {
        try await ScratchDirectory.with { scratch in
            let missing = #expect(throws: FleetError.self) { try BlockingDisk.read(scratch("none")) }
            #expect(missing?.code == .notFound)
            let absent = try BlockingDisk.readIfPresent(scratch("none"))
            #expect(absent == nil)
            #expect(throws: FleetError.self) { try BlockingDisk.read(scratch.path) }
            mkfifo(scratch("pipe"), 0o600)
            #expect(throws: FleetError.self) { try BlockingDisk.read(scratch("pipe")) }
            #expect(throws: FleetError.self) { try BlockingDisk.read("a\0b") }
        }
    }

    @Test func listsAreSortedByBytesAndPaged() async throws {
        try await ScratchDirectory.with { scratch in
            let names = (0..<500).map { "n\(($0 * 7919) % 500)" } + ["Z", "a", "é", "~", "-"]
            for name in names { try BlockingDisk.write([], to: scratch("d/\(name)")) }
            let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try BlockingDisk.list(scratch("d")).map(\.name) == expected)
            for limit in [1, 7, 64, 1000] {
                var found: [String] = []
                while case let page = try BlockingDisk.page(scratch("d"), after: found.last, limit: limit).map(\.name),
                    !page.isEmpty, found.count <= names.count
                { found += page }
                #expect(found == expected)
                if limit == 1 { #expect(found.count == names.count) }
            }
        }
    }

    @Test func aMissingDirectoryIsNotAnEmptyOne() async throws {
        try await ScratchDirectory.with { scratch in
            let error = #expect(throws: FleetError.self) { try BlockingDisk.list(scratch("none")) }
            #expect(error?.code == .notFound)
        }
    }

    @Test func spaceIsThere() throws {
        let space = try BlockingDisk.space("/tmp")
        #expect(space.total > 0 && space.available <= space.total)
    }
}

@Suite struct TreeTests {
    @Test func removalDoesNotFollowLinks() async throws {
        try await ScratchDirectory.with { scratch in
            try BlockingDisk.write([1], to: scratch("kept/file"))
            try BlockingDisk.write([1], to: scratch("tree/a/b/c"))
            symlink(scratch("kept"), scratch("tree/a/link"))
            symlink(scratch("tree"), scratch("alias"))
            #expect(try BlockingDisk.removeTree(scratch("alias")))
            #expect(try BlockingDisk.status(scratch("tree/a/b/c")) != nil)
            #expect(try BlockingDisk.removeTree(scratch("tree")))
            #expect(try BlockingDisk.removeTree(scratch("tree")) == false)
            #expect(try BlockingDisk.read(scratch("kept/file")) == [1])
            #expect(try scratch.names() == ["kept"])
            #expect(throws: FleetError.self) { try BlockingDisk.removeTree("/") }
            #expect(throws: FleetError.self) { try BlockingDisk.removeTree("\(scratch.path)/.") }
        }
    }

    @Test func copiesKeepModesTimesAndLinks() async throws {
        try await ScratchDirectory.with { scratch in
            let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try BlockingDisk.write(content, to: scratch("from/deep/file"), WriteOptions(mode: 0o604))
            symlink("deep/file", scratch("from/link"))
            try BlockingDisk.setMode(0o711, of: scratch("from/deep"))
            let before = try #require(try BlockingDisk.status(scratch("from/deep/file")))
            try await Disk().copyTree(scratch("from"), to: scratch("to"))
            let after = try #require(try BlockingDisk.status(scratch("to/deep/file")))
            #expect(try BlockingDisk.read(scratch("to/deep/file")) == content)
            #expect(after.mode == 0o604 && after.modified == before.modified && after.owner == before.owner)
            #expect(try BlockingDisk.status(scratch("to/deep"))?.mode == 0o711)
            #expect(try BlockingDisk.destination(ofLink: scratch("to/link")) == "deep/file")
            let error = #expect(throws: FleetError.self) {
                try BlockingDisk.copyTree(scratch("from"), to: scratch("to"))
            }
            #expect(error?.code == .alreadyExists)
        }
    }

    @Test func renamesDoNotReplaceUnlessAsked() async throws {
        try await ScratchDirectory.with { scratch in
            try BlockingDisk.write([1], to: scratch("a/file"))
            try BlockingDisk.write([2], to: scratch("b/file"))
            let error = #expect(throws: FleetError.self) { try BlockingDisk.rename(scratch("a"), to: scratch("b")) }
            #expect(error?.code == .alreadyExists)
            try BlockingDisk.rename(scratch("a"), to: scratch("c"))
            #expect(try BlockingDisk.read(scratch("c/file")) == [1])
            try BlockingDisk.rename(scratch("c/file"), to: scratch("b/file"), replaces: true)
            #expect(try BlockingDisk.read(scratch("b/file")) == [1])
        }
    }
}

@Suite struct LockTests {
    @Test func aHeldLockIsAConflictThatNamesItsHolder() async throws {
        try await ScratchDirectory.with { scratch in
            let first = try await FileLock.acquire(scratch("lock"))
            let error = await #expect(throws: FleetError.self) {
                try await FileLock.acquire(scratch("lock"), deadline: .milliseconds(20))
            }
            #expect(error?.code == .conflict)
            #expect(error?.cause == "held by process \(getpid())")
            first.release()
            let second = try await FileLock.acquire(scratch("lock"))
            second.release()
        }
    }

    @Test func aWaiterGetsTheLockWhenItIsReleased() async throws {
        try await ScratchDirectory.with { scratch in
            let first = try await FileLock.acquire(scratch("lock"))
            async let second = FileLock.acquire(scratch("lock"), deadline: .seconds(20))
            try await Task.sleep(for: .milliseconds(30))
            first.release()
            try await second.release()
        }
    }

    @Test func sharedLocksGoTogether() async throws {
        try await ScratchDirectory.with { scratch in
            let first = try await FileLock.acquire(scratch("lock"), mode: .shared)
            let second = try await FileLock.acquire(scratch("lock"), mode: .shared)
            await #expect(throws: FleetError.self) { try await FileLock.acquire(scratch("lock")) }
            first.release()
            second.release()
        }
    }
}

@Suite struct DiskExecutorTests {
    final class Calls: Sendable {
        struct State {
            var now = 0
            var most = 0
            var mayEnd = false
        }
        let state = Mutex(State())
    }

    /// More blocked calls than the cooperative pool has threads: everything else must go on.
    @Test func blockedCallsAreBoundedAndDoNotHoldThePool() async throws {
        let executor = DiskExecutor(threads: 3)
        let calls = Calls()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    try await executor.run {
                        calls.state.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        while !calls.state.withLock({ $0.mayEnd }) { usleep(1000) }
                        calls.state.withLock { $0.now -= 1 }
                    }
                }
            }
            while calls.state.withLock({ $0.now }) < 3 { await Task.yield() }
            calls.state.withLock { $0.mayEnd = true }
            try await group.waitForAll()
        }
        #expect(calls.state.withLock { $0.most } == 3)
    }

    @Test func aCancelledTaskStartsNoWork() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await DiskExecutor.shared.run { true }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func tasksCanPreferIt() async {
        let executor = DiskExecutor(threads: 2)
        let sum = await Task(executorPreference: executor) { (0..<10).reduce(0, +) }.value
        #expect(sum == 45)
    }
}

@Suite struct TemporaryNameTests {
    @Test func onlyTheirOwnFormMatches() async throws {
        try await ScratchDirectory.with { scratch in
            let long = String(repeating: "n", count: 255)
            let writer = try FileWriter(scratch(long))
            try writer.append([7])
            #expect(try scratch.names().allSatisfy { TemporaryName.matches($0) && $0.utf8.count <= 255 })
            try writer.commit()
            #expect(try scratch.names() == [long])
        }
        for name in ["file", ".file", ".file.tmp-", ".file.tmp-0123456789abcdeg", "file.tmp-0123456789abcdef"] {
            #expect(!TemporaryName.matches(name))
        }
        #expect(TemporaryName.matches(".x.tmp-0123456789abcdef"))
    }
}
