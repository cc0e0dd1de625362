import FleetPluginAPI
import Glibc
import ProcessRunner
import Synchronization
import Testing

func shell(_ script: String, _ change: (inout Command) -> Void = { _ in }) -> Command {
    var command = Command(["/bin/sh", "-c", script])
    change(&command)
    return command
}

final class Lines: Sendable {
    private let lines = Mutex<[OutputLine]>([])
    func add(_ line: OutputLine) { lines.withLock { $0.append(line) } }
    var all: [OutputLine] { lines.withLock { $0 } }
    func text(_ stream: OutputLine.Stream) -> [String] { all.filter { $0.stream == stream }.map(\.text) }
}

/// Whether the process that printed its pid has ended.
func isGone(_ pid: Int32, within seconds: Int = 10) async throws -> Bool {
    guard let identity = ProcessIdentity(pid: pid) else { return true }
    do {
        try await identity.waitGone(deadline: .seconds(seconds))
        return true
    } catch let error as FleetError where error.code == .timedOut {
        return false
    }
}

@Suite struct RunTests {
    @Test func outputErrorsAndExitCodeArrive() async throws {
        let result = try await shell("echo out; echo err >&2; exit 7").run()
        #expect(result.outputText == "out\n")
        #expect(result.errorText == "err\n")
        #expect(result.status == .exited(7))
    }

    @Test func aSignalIsNotAnExitCode() async throws {
        let result = try await shell("kill -TERM $$").run()
        #expect(result.status == .signalled(SIGTERM))
        #expect(result.status.shellCode == 143)
    }

    @Test func argumentsArePassedAsTheyAre() async throws {
        let odd = ["", " a  b ", "$HOME", "'\"\\", "é\n"]
        let result = try await Command(["/usr/bin/printf", "%s|"] + odd).run()
        #expect(result.outputText == odd.map { "\($0)|" }.joined())
    }

    @Test func inputIsReadToItsEnd() async throws {
        let bytes = (0..<500_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let result = try await shell("cat") { $0.input = bytes }.run()
        #expect(result.output == bytes)
    }

    /// SIGPIPE would end the whole program.
    @Test func aProgramNeedNotReadItsInput() async throws {
        let result = try await shell("exit 3") { $0.input = [UInt8](repeating: 1, count: 4 << 20) }.run()
        #expect(result.status == .exited(3))
    }

    @Test func withoutInputThereIsNothingToRead() async throws {
        #expect(try await shell("cat; echo end").run().outputText == "end\n")
    }

    @Test func outputPastTheLimitIsCutAndTheProgramGoesOn() async throws {
        let result = try await shell("head -c 3000000 /dev/zero; echo done >&2").run(outputLimit: 1000)
        #expect(result.output.count == 1000)
        #expect(result.isOutputCut)
        #expect(result.errorText == "done\n")
        #expect(result.status.isSuccess)
    }

    @Test func ofErrorsTheEndIsKept() async throws {
        let result = try await shell("seq 1 20000 >&2").run(errorLimit: 50)
        #expect(result.errorText.hasSuffix("19999\n20000\n"))
        #expect(result.errors.count == 50)
    }

    @Test func theEnvironmentIsWhatWasGiven() async throws {
        setenv("FLEET_TEST_LEAK", "leak", 1)
        let exact = try await Command(["/usr/bin/env"], environment: .exactly(["A": "1"])).run()
        #expect(exact.outputText == "A=1\n")
        let minimal = try await Command(["/usr/bin/env"], environment: .minimal.adding(["B": "2"])).run().outputText
        #expect(minimal.contains("B=2\n") && minimal.contains("PATH=") && !minimal.contains("FLEET_TEST_LEAK"))
        let inherited = try await Command(["/usr/bin/env"], environment: .inherited).run().outputText
        #expect(inherited.contains("FLEET_TEST_LEAK=leak"))
        let removed = Command(["/usr/bin/env"], environment: .inherited.removing(["FLEET_TEST_LEAK"]))
        #expect(try await !removed.run().outputText.contains("FLEET_TEST_LEAK"))
    }

    @Test func theWorkingDirectoryIsTheOneAsked() async throws {
        #expect(try await Command(["/bin/pwd"], workingDirectory: "/usr/share").run().outputText == "/usr/share\n")
        let error = await #expect(throws: FleetError.self) {
            try await Command(["/bin/pwd"], workingDirectory: "/nowhere").run()
        }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("/nowhere") == true)
    }

    @Test func whatCannotBeStartedSaysWhy() async throws {
        for program in ["/nowhere/program", "no-such-program-anywhere"] {
            let missing = await #expect(throws: FleetError.self) { try await Command([program]).run() }
            #expect(missing?.code == .notFound)
            #expect(missing?.message.contains(program) == true)
        }
        let denied = await #expect(throws: FleetError.self) { try await Command(["/etc/passwd"]).run() }
        #expect(denied?.code == .denied)
        await #expect(throws: FleetError.self) { try await Command([]).run() }
        await #expect(throws: FleetError.self) { try await Command(["/bin/echo", "a\0b"]).run() }
    }

    @Test func signalsAreAtTheirDefaultsInTheProgram() async throws {
        let previous = signal(SIGUSR2, SIG_IGN)
        defer { signal(SIGUSR2, previous) }
        let result = try await Command(["/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]).run()
        // Signals 32 and 33 are glibc's own.
        let masks = result.outputText.split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
        #expect(masks.count == 2)
        for mask in masks { #expect(mask & 0x7fff_ffff == 0) }
    }

    @Test func nothingButTheStandardFilesIsOpen() async throws {
        let kept = open("/dev/null", O_RDONLY)
        defer { close(kept) }
        let result = try await Command(["/bin/ls", "/proc/self/fd"]).run()
        // The fourth is the directory that ls reads.
        #expect(result.outputText.split(separator: "\n").count == 4)
    }

    @Test(.enabled(if: geteuid() == 0)) func rootRunsProgramsAsOthers() async throws {
        let nobody = try await UserAccount.named("nobody")
        let result = try await shell("id -u; id -g; id -G; echo $HOME; echo $USER") { $0.user = nobody }.checked()
        let expected = [
            "\(nobody.userID)", "\(nobody.groupID)", nobody.groups.map(String.init).joined(separator: " "), nobody.home,
            "nobody",
        ]
        #expect(result.outputText.split(separator: "\n").map(String.init) == expected)
    }

    @Test(.enabled(if: geteuid() != 0)) func othersMayNot() async throws {
        let root = try await UserAccount.withID(0)
        let error = await #expect(throws: FleetError.self) { try await shell("true") { $0.user = root }.run() }
        #expect(error?.code == .denied)
    }
}

@Suite struct SecretTests {
    let secret = "s3cret-\(UInt32.random(in: .min ... .max))"

    @Test func secretsReachTheProgramAndNothingElse() async throws {
        let command = shell("echo $TOKEN; echo failed with $TOKEN >&2; exit 1") {
            $0.secrets = ["TOKEN": Secret(secret)]
        }
        #expect(try await command.run().outputText == "\(secret)\n")
        let error = await #expect(throws: FleetError.self) { try await command.checked() }
        #expect(error?.description.contains(secret) == false)
        #expect(error?.cause?.contains("failed with <secret>") == true)
        var dumped = ""
        dump(command, to: &dumped)
        for text in ["\(command)", String(reflecting: command), dumped] { #expect(!text.contains(secret)) }
    }

    @Test func aSecretInTheCommandLineIsRefused() async throws {
        let command = Command(["/bin/echo", "--password=\(secret)"], secrets: ["PASSWORD": Secret(secret)])
        let error = await #expect(throws: FleetError.self) { try await command.run() }
        #expect(error?.code == .refused)
        #expect(error?.description.contains(secret) == false)
    }

    @Test func aMalformedSecretIsNotPrinted() async throws {
        let command = Command(["/bin/echo"], secrets: ["PASSWORD": Secret("\(secret)\0tail")])
        let error = await #expect(throws: FleetError.self) { try await command.run() }
        #expect(error?.code == .usage)
        #expect(error?.description.contains(secret) == false)
    }
}

@Suite struct StreamTests {
    @Test func linesOfBothStreamsComeInOrder() async throws {
        let lines = Lines()
        let status = try await shell("for i in 1 2 3; do echo o$i; echo e$i >&2; done; printf 'no end'").stream {
            lines.add($0)
        }
        #expect(status.isSuccess)
        #expect(lines.text(.output) == ["o1", "o2", "o3", "no end"])
        #expect(lines.text(.errors) == ["e1", "e2", "e3"])
    }

    /// The program has ended long before its output is read.
    @Test func aSlowReceiverGetsEveryLine() async throws {
        let lines = Lines()
        _ = try await shell("seq 1 8000").stream { line in
            if lines.all.count.isMultiple(of: 500) { try await Task.sleep(for: .milliseconds(10)) }
            lines.add(line)
        }
        #expect(lines.text(.output) == (1...8000).map(String.init))
    }

    @Test func aLongLineIsCut() async throws {
        let lines = Lines()
        _ = try await shell("head -c 2500 /dev/zero | tr '\\0' x; echo; printf 'a\\r\\n\\nb'").stream(lineLimit: 1000) {
            lines.add($0)
        }
        #expect(lines.text(.output).map(\.utf8.count) == [1000, 1000, 500, 1, 0, 1])
    }

    @Test func aReceiverThatThrowsEndsTheProgram() async throws {
        let lines = Lines()
        await #expect(throws: FleetError.self) {
            _ = try await shell("echo $$; exec sleep 600").stream { line in
                lines.add(line)
                throw FleetError(.failed, "enough")
            }
        }
        let pid = try #require(lines.all.first.flatMap { Int32($0.text) })
        #expect(try await isGone(pid))
    }
}

@Suite struct EndingTests {
    @Test func theDeadlineEndsTheWholeGroup() async throws {
        let lines = Lines()
        let command = shell("trap '' TERM; sleep 600 & echo $!; echo $$; wait; sleep 600") {
            $0.deadline = .milliseconds(300)
            $0.grace = .milliseconds(100)
        }
        let error = await #expect(throws: FleetError.self) { _ = try await command.stream { lines.add($0) } }
        #expect(error?.code == .timedOut)
        let pids = lines.text(.output).compactMap { Int32($0) }
        #expect(pids.count == 2)
        for pid in pids { #expect(try await isGone(pid)) }
    }

    @Test func cancellationGivesTimeToEndWell() async throws {
        let lines = Lines()
        let task = Task {
            try await shell("trap 'echo clean; exit 0' TERM; echo $$; while :; do sleep 0.01; done").stream {
                lines.add($0)
            }
        }
        while lines.all.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let pid = try #require(Int32(lines.all[0].text))
        #expect(try await isGone(pid))
    }

    /// A child that ignores SIGTERM and outlives its parent.
    @Test func cancellationReachesThoseWhoIgnoreIt() async throws {
        let lines = Lines()
        let task = Task {
            try await shell("sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & echo $!; wait") {
                $0.grace = .milliseconds(200)
            }.stream { lines.add($0) }
        }
        while lines.all.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let pid = try #require(Int32(lines.all[0].text))
        #expect(try await isGone(pid))
    }

    /// A daemon that keeps its parent's standard output open.
    @Test func aGrandchildWithThePipeDoesNotHoldUpTheResult() async throws {
        let result = try await shell("sleep 600 & echo $!") { $0.deadline = .seconds(30) }.run()
        let pid = try #require(Int32(result.outputText.dropLast()))
        #expect(result.status.isSuccess)
        try ProcessIdentity(pid: pid)?.signal(SIGKILL)
    }
}
