public import FleetPluginAPI
import Glibc
import Subprocess
import Synchronization
import SystemPackage

extension Command {
    /// Runs the program to its end and returns what it wrote, whatever its exit code.
    ///
    /// Reads on past the limits, so that a talkative program does not block.
    ///
    /// - Throws: `notFound` (program or working directory), `denied`, `timedOut` when the deadline passed,
    ///   `CancellationError`; in the last two cases the whole process group is gone.
    public func run(outputLimit: Int = 16 << 20, errorLimit: Int = 64 << 10) async throws -> ProcessResult {
        let captured = Captured(outputLimit: outputLimit, errorLimit: errorLimit)
        let status = try await execute { captured.add($0, $1) }
        return captured.result(status)
    }

    /// Runs the program to its end; anything but exit code 0 is an error with the end of what it wrote to standard
    /// error as its cause.
    @discardableResult
    public func checked(outputLimit: Int = 16 << 20) async throws -> ProcessResult {
        let result = try await run(outputLimit: outputLimit)
        guard result.status.isSuccess else { throw failure(result.status, errors: result.errorText) }
        return result
    }

    /// Runs the program and hands on its lines while it runs: each stream's in order, one at a time; the two streams
    /// concurrently. A slow receiver slows the program down. An error thrown by the receiver ends the program.
    public func stream(
        lineLimit: Int = 1 << 20, _ receive: @escaping @Sendable (OutputLine) async throws -> Void
    ) async throws -> ProcessStatus {
        let splitters = Splitters(limit: lineLimit)
        let status = try await execute { stream, bytes in
            for line in splitters.lines(stream, bytes) { try await receive(OutputLine(stream: stream, text: line)) }
        }
        for stream in [OutputLine.Stream.output, .errors] {
            if let rest = splitters.rest(stream) { try await receive(OutputLine(stream: stream, text: rest)) }
        }
        return status
    }

    /// The error for a program that ended badly.
    public func failure(_ status: ProcessStatus, errors: String) -> FleetError {
        let lines = redacted(errors).split(whereSeparator: \.isNewline).suffix(5)
        let cause = ([status.description] + lines.map(String.init)).joined(separator: "; ")
        return FleetError(.failed, "\(name) failed", cause: cause)
    }
}

extension Command {
    typealias Receiver = @Sendable (OutputLine.Stream, [UInt8]) async throws -> Void

    /// Runs the program and hands on what it writes; ends its process group at the deadline or on cancellation.
    func execute(_ receive: @escaping Receiver) async throws -> ProcessStatus {
        try validate()
        guard let deadline else { return try await spawnAndWait(receive) }
        return try await withThrowingTaskGroup(of: ProcessStatus?.self) { group in
            group.addTask { try await spawnAndWait(receive) }
            group.addTask {
                try await Task.sleep(for: deadline)
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            // The program is torn down in the meantime; its own error says nothing new.
            while (try? await group.next()) != nil {}
            throw FleetError(
                .timedOut, "\(name) did not end within \(DurationText.text(deadline))",
                hint: "its process group was ended")
        }
    }

    private func spawnAndWait(_ receive: @escaping Receiver) async throws -> ProcessStatus {
        let options = try platformOptions(ownGroup: true)
        let configuration = try configuration(options)
        let group = ProcessGroup()
        do {
            let input = try inputDescriptor()
            let result = try await Subprocess.run(
                configuration, input: .fileDescriptor(input, closeAfterSpawningProcess: true), output: .sequence,
                error: .sequence
            ) { execution in
                group.id.withLock { $0 = execution.processIdentifier.value }
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for (sequence, stream) in [
                        (execution.standardOutput, OutputLine.Stream.output), (execution.standardError, .errors),
                    ] {
                        tasks.addTask {
                            do {
                                try await Self.read(sequence, stream, receive)
                            } catch {
                                // Here, not after the group: the other stream is read until the program has ended.
                                await execution.teardown(using: options.teardownSequence)
                                throw error
                            }
                        }
                    }
                    try await tasks.waitForAll()
                }
            }
            try Task.checkCancellation()
            return ProcessStatus(result.terminationStatus)
        } catch {
            // Whatever ignored SIGTERM after its leader had gone.
            group.kill()
            if Task.isCancelled { throw CancellationError() }
            if let error = error as? SubprocessError { throw startFailure(error) }
            throw error
        }
    }

    private static func read(
        _ sequence: SubprocessOutputSequence, _ stream: OutputLine.Stream, _ receive: Receiver
    ) async throws {
        for try await chunk in sequence {
            let bytes = chunk.withUnsafeBytes { [UInt8]($0) }
            try await receive(stream, bytes)
        }
    }

    /// Input comes from memory: a program that does not read it cannot raise SIGPIPE here.
    private func inputDescriptor() throws -> FileDescriptor {
        guard let input else { return try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec) }
        return try MemoryFile.make(input)
    }
}

private final class Splitters: Sendable {
    private let state: Mutex<[OutputLine.Stream: LineSplitter]>

    init(limit: Int) {
        state = Mutex([.output: LineSplitter(limit: limit), .errors: LineSplitter(limit: limit)])
    }

    func lines(_ stream: OutputLine.Stream, _ bytes: [UInt8]) -> [String] {
        state.withLock { $0[stream]?.lines(adding: bytes) ?? [] }
    }

    func rest(_ stream: OutputLine.Stream) -> String? {
        state.withLock { $0[stream]?.rest() }
    }
}

/// The process group of a program that was started, for the case that it must go.
private final class ProcessGroup: Sendable {
    let id = Mutex<pid_t?>(nil)

    func kill() {
        if let id = id.withLock({ $0 }), id > 1 { Glibc.kill(-id, SIGKILL) }
    }
}
