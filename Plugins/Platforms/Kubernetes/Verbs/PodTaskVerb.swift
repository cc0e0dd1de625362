import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner
import Synchronization
import UnixSignals

/// `fleet agent pod-task [--deadline SECONDS] [--prepare DIRECTORY] [--owned-like PATH]… -- PROGRAM ARGUMENTS…`: the
/// first process of a task's container.
///
/// Runs the program as the owner of the data where the container begins as root, numbers and names what it writes (see
/// `WrappedLine`), hands on SIGTERM and ends it at the deadline. Its exit status is the program's: 124 at the
/// deadline, 126 and 127 as a shell has them.
enum PodTaskVerb {
    static let name = "pod-task"
    static let verb = InternalVerb(name: name) { arguments in
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        guard let call = PodTaskCall(arguments) else {
            VerbOutput.complain("usage: fleet agent pod-task [--deadline SECONDS] [--owned-like PATH]… -- PROGRAM …")
            return ExitStatus.usage.rawValue
        }
        return await PodTask(call: call).run(until: signals)
    }
}

/// The arguments of `pod-task`.
struct PodTaskCall: Hashable, Sendable {
    var deadline: Duration?
    /// Made, for the owner alone, where it is missing and this process may.
    var prepare: String?
    /// Whose owner the program runs as: the first that is there and is not root's.
    var ownedLike: [String] = []
    /// Where none is: a name or a number.
    var owner = "postgres"
    var argv: [String]

    init(deadline: Duration? = nil, prepare: String? = nil, ownedLike: [String], owner: String, argv: [String]) {
        self.deadline = deadline
        self.prepare = prepare
        self.ownedLike = ownedLike
        self.owner = owner
        self.argv = argv
    }

    init?(_ arguments: [String]) {
        var rest = arguments[...]
        argv = []
        while let word = rest.popFirst(), word != "--" {
            guard let value = rest.popFirst() else { return nil }
            switch word {
            case "--deadline":
                guard let milliseconds = Int64(value), milliseconds > 0 else { return nil }
                deadline = .milliseconds(milliseconds)
            case "--prepare": prepare = value
            case "--owned-like": ownedLike.append(value)
            case "--owner": owner = value
            default: return nil
            }
        }
        argv = Array(rest)
        guard !argv.isEmpty else { return nil }
    }

    var arguments: [String] {
        var words: [String] = []
        if let deadline {
            let parts = deadline.components
            words += ["--deadline", "\(max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))"]
        }
        if let prepare { words += ["--prepare", prepare] }
        for path in ownedLike { words += ["--owned-like", path] }
        return words + ["--owner", owner, "--"] + argv
    }
}

/// Carries out one call of `pod-task`.
struct PodTask: Sendable {
    let call: PodTaskCall
    private let disk = Disk()

    /// The exit status at the deadline, as timeout(1) has it.
    static let deadlineStatus: Int32 = 124

    init(call: PodTaskCall) {
        self.call = call
    }

    func run(until signals: UnixSignalsSequence) async -> Int32 {
        let lines = LineNumbering()
        do {
            let user = try await user()
            if let user { try await prepare(user) }
            let command = Command(
                call.argv, environment: environment(user), workingDirectory: "/", user: user, grace: .seconds(10))
            switch try await carryOut(command, lines, signals) {
            case .ended(let status): return status.shellCode
            case .deadline(let deadline):
                lines.write(.errors, "fleet: ended after its deadline of \(DurationText.text(deadline))")
                return Self.deadlineStatus
            case .cancelled:
                lines.write(.errors, "fleet: ended because it was cancelled")
                return 128 + SIGTERM
            }
        } catch {
            let failure = FleetError(error, "cannot run \(command)")
            lines.write(.errors, "fleet: \(failure)")
            return failure.code == .notFound ? 127 : 126
        }
    }

    private var command: String { call.argv.first ?? "nothing" }

    private enum End: Sendable {
        case ended(ProcessStatus), deadline(Duration), cancelled
    }

    private func carryOut(
        _ command: Command, _ lines: LineNumbering, _ signals: UnixSignalsSequence
    ) async throws -> End {
        try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask {
                .ended(
                    try await command.stream { line in
                        lines.write(line.stream == .output ? .output : .errors, line.text)
                    })
            }
            if let deadline = call.deadline {
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return .deadline(deadline)
                }
            }
            group.addTask {
                for await _ in signals { return .cancelled }
                return .cancelled
            }
            let first = try await group.next() ?? .cancelled
            group.cancelAll()
            // The program's process group is ended before its task is.
            while (try? await group.next()) != nil {}
            return first
        }
    }

    /// Nil: as who this process is.
    private func user() async throws -> UserAccount? {
        guard geteuid() == 0 else { return nil }
        for path in call.ownedLike {
            guard let owner = try await disk.status(path, followingLinks: true)?.owner, owner.user != 0 else {
                continue
            }
            return try await account(owner.user, group: owner.group)
        }
        if let id = UInt32(call.owner) { return id == 0 ? nil : try await account(id, group: id) }
        do {
            return try await UserAccount.named(call.owner)
        } catch let error as FleetError where error.code == .notFound {
            throw FleetError(
                .configuration, "the image has no user \(call.owner), and nothing shows who owns the data",
                hint: "set `owner` in the platform block of the instance to the number of the user")
        }
    }

    private func account(_ id: UInt32, group: UInt32) async throws -> UserAccount {
        do {
            return try await UserAccount.withID(id)
        } catch let error as FleetError where error.code == .notFound {
            return UserAccount(name: "\(id)", userID: id, groupID: group, home: "/", groups: [group])
        }
    }

    private func prepare(_ user: UserAccount) async throws {
        guard let directory = call.prepare else { return }
        try await disk.run {
            guard try BlockingDisk.status(directory, followingLinks: true) == nil else { return }
            try BlockingDisk.makeDirectories(
                directory, mode: 0o700, owner: FileOwner(user: user.userID, group: user.groupID))
        }
    }

    private func environment(_ user: UserAccount?) -> ProcessEnvironment {
        guard let user else { return .inherited }
        return .inherited.adding(["HOME": user.home, "USER": user.name, "LOGNAME": user.name])
    }
}

/// Numbers lines in the order in which they are written.
final class LineNumbering: Sendable {
    private let next = Mutex(0)

    /// Written within the lock, so that numbers stand in order in the log.
    func write(_ stream: WrappedLine.Stream, _ text: String) {
        let pieces = WrappedLine.pieces(of: text)
        next.withLock { number in
            for (index, piece) in pieces.enumerated() {
                let line = WrappedLine(
                    number: number, stream: stream, isCut: index < pieces.count - 1, text: piece)
                VerbOutput.say(line.written)
                number += 1
            }
        }
    }
}
