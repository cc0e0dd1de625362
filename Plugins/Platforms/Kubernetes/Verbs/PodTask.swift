import DurableFiles
import FleetPluginAPI
import Glibc
import ProcessRunner
import UnixSignals

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
        let owner = FileOwner(user: user.userID, group: user.groupID)
        try await disk.run { [call] in
            for directory in call.prepare where try BlockingDisk.status(directory, followingLinks: true) == nil {
                try BlockingDisk.makeDirectories(directory, mode: 0o700, owner: owner)
            }
        }
    }

    private func environment(_ user: UserAccount?) -> ProcessEnvironment {
        guard let user else { return .inherited }
        return .inherited.adding(["HOME": user.home, "USER": user.name, "LOGNAME": user.name])
    }
}
