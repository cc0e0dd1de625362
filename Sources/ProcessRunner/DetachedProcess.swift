import FleetPluginAPI
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program that goes on when this process ends, however it ends: in a session of its own, with its output in files.
public struct DetachedProcess: Sendable {
    /// Remember this to find the process again.
    public let identity: ProcessIdentity
    private let end: Task<ProcessStatus, any Error>

    /// How it ended; only the process that started it can be told.
    public func status() async throws -> ProcessStatus {
        try await end.value
    }

    fileprivate init(identity: ProcessIdentity, end: Task<ProcessStatus, any Error>) {
        self.identity = identity
        self.end = end
    }
}

extension Command {
    /// Where a detached program's output goes.
    public enum OutputFile: Sendable, Hashable {
        case discarded
        /// Added to the end of a file, which is made with mode 0640 when missing.
        case appended(String)
    }

    /// Starts the program in a session of its own and returns once it runs. The deadline does not apply to it, and
    /// cancelling the caller does not end it.
    ///
    /// - Throws: `notFound`, `denied`, as `run` does.
    public func startDetached(output: OutputFile = .discarded, errors: OutputFile = .discarded) async throws
        -> DetachedProcess
    {
        try validate()
        let configuration = try configuration(platformOptions(ownSession: true))
        let input = try input.map { try MemoryFile.make($0) } ?? Self.open("/dev/null", .readOnly)
        let files: (output: FileDescriptor, errors: FileDescriptor)
        do {
            files = try Self.open(output, errors)
        } catch {
            try? input.close()
            throw error
        }
        let start = Start()
        let end = Task.detached {
            do {
                let result = try await Subprocess.run(
                    configuration, input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                    output: .fileDescriptor(files.output, closeAfterSpawningProcess: true),
                    error: .fileDescriptor(files.errors, closeAfterSpawningProcess: true)
                ) { execution in
                    // Not reaped before this closure returns: the pid is its own.
                    start.finish(ProcessIdentity(pid: execution.processIdentifier.value))
                }
                return ProcessStatus(result.terminationStatus)
            } catch {
                let failure = (error as? SubprocessError).map(startFailure) ?? error
                start.finish(throwing: failure)
                throw failure
            }
        }
        return DetachedProcess(identity: try await start.value(of: name), end: end)
    }

    private static func open(_ output: OutputFile, _ errors: OutputFile) throws -> (FileDescriptor, FileDescriptor) {
        let first = try open(output)
        do {
            return (first, try open(errors))
        } catch {
            try? first.close()
            throw error
        }
    }

    private static func open(_ file: OutputFile) throws -> FileDescriptor {
        switch file {
        case .discarded: try open("/dev/null", .writeOnly)
        case .appended(let path): try open(path, .writeOnly, options: [.create, .append, .closeOnExec])
        }
    }

    private static func open(
        _ path: String, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions = .closeOnExec
    ) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                FilePath(path), mode, options: options, permissions: [.ownerReadWrite, .groupRead])
        } catch let error as Errno {
            let code: FleetError.Code =
                switch error {
                case .noSuchFileOrDirectory, .notDirectory: .notFound
                case .permissionDenied, .notPermitted, .readOnlyFileSystem: .denied
                case .noSpace: .exhausted
                default: .failed
                }
            throw FleetError(code, "cannot open \(path)", cause: error.description)
        }
    }
}

/// The moment at which a program has been started, or not. Waiting for it cannot be cancelled: a process that runs and
/// whose identity nobody has would be lost.
private final class Start: Sendable {
    private enum State {
        case pending(CheckedContinuation<ProcessIdentity?, any Error>?)
        case done(Result<ProcessIdentity?, any Error>)
    }

    private let state = Mutex(State.pending(nil))

    func finish(_ identity: ProcessIdentity?) { finish(with: .success(identity)) }
    func finish(throwing error: any Error) { finish(with: .failure(error)) }

    func value(of name: String) async throws -> ProcessIdentity {
        let identity = try await withCheckedThrowingContinuation { continuation in
            let result = state.withLock { state -> Result<ProcessIdentity?, any Error>? in
                if case .done(let result) = state { return result }
                state = .pending(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
        guard let identity else {
            throw FleetError(.failed, "cannot tell which process \(name) became", hint: "check that /proc is mounted")
        }
        return identity
    }

    private func finish(with result: Result<ProcessIdentity?, any Error>) {
        let waiting = state.withLock { state -> CheckedContinuation<ProcessIdentity?, any Error>? in
            guard case .pending(let waiting) = state else { return nil }
            state = .done(result)
            return waiting
        }
        waiting?.resume(with: result)
    }
}
