import FoundationEssentials
import Glibc
import Synchronization

/// A child process of a test, with its output in files.
public final class ChildProcess: Sendable {
    public let pid: Int32
    private let state = Mutex(State())

    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Starts `argv` (found through PATH) with every signal at its default and no file but the three standard ones.
    ///
    /// - Parameters:
    ///   - output: file that standard output and, unless `errors` names another, standard error are appended to.
    ///   - environment: nil for this process's own.
    public static func start(
        _ argv: [String], environment: [String: String]? = nil, directory: String? = nil, input: String = "/dev/null",
        output: String = "/dev/null", errors: String? = nil
    ) async throws -> ChildProcess {
        let environment = environment ?? ProcessInfo.processInfo.environment
        return ChildProcess(
            pid: try await SpawnThread.run {
                try spawn(
                    argv, environment: environment, directory: directory, input: input, output: output, errors: errors)
            })
    }

    private init(pid: pid_t) {
        self.pid = pid
        detachThread {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let waiters = self.state.withLock { state in
                state.status = status
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    public var isRunning: Bool { state.withLock { $0.status == nil } }

    /// Sends a signal; does nothing once the process has ended.
    public func signal(_ number: Int32) {
        state.withLock { if $0.status == nil { _ = kill(pid, number) } }
    }

    /// The exit code, or 128 + the signal that ended it, once it has ended.
    public func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status != nil
            }
            if ended { continuation.resume() }
        }
        let status = state.withLock { $0.status ?? 0 }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

extension ChildProcess {
    private static func spawn(
        _ argv: [String], environment: [String: String], directory: String?, input: String, output: String,
        errors: String?
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        // glibc does not mind descriptors that are not open.
        for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let argv = directory.map { ["env", "-C", $0] + argv } ?? argv
        let arguments = argv.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let status = posix_spawnp(&pid, argv[0], &actions, &attributes, arguments, variables)
        guard status == 0 else { throw FixtureError("cannot start \(argv[0]): \(String(cString: strerror(status)))") }
        return pid
    }
}
