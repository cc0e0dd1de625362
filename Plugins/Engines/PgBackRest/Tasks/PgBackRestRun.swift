import FleetPluginAPI
import ProcessRunner
import Synchronization

/// pgBackRest at work in this process's place, followed line by line.
struct PgBackRestRun: Sendable {
    let program: PgBackRest
    let emit: @Sendable (TaskEvent) -> Void
    let log: @Sendable (String) -> Void

    init(
        _ program: PgBackRest, emit: @escaping @Sendable (TaskEvent) -> Void, log: @escaping @Sendable (String) -> Void
    ) {
        self.program = program
        self.emit = emit
        self.log = log
    }

    init(_ program: PgBackRest, _ context: AgentContext) {
        self.init(program, emit: context.emit, log: context.log)
    }

    /// What a command said.
    struct Said: Sendable {
        /// Its messages on stdout, from `INFO` up, without times and levels; what goes on with a message is a line of
        /// its own.
        var messages: [String] = []
        /// Lines of stdout that are no messages.
        var output: [String] = []
        /// The end of what it wrote to stderr.
        var errors: [String] = []
    }

    /// Runs a command to its end and tells of its progress.
    ///
    /// - Parameter doing: what it does, for errors: `the backup of orders`.
    /// - Throws: what its exit status means.
    func work(_ command: String, _ options: [String], _ doing: String) async throws -> Said {
        let logging = ["--log-level-console=detail", "--log-level-stderr=warn"]
        let run = Command(
            program.argv(command, logging + options), environment: environment, workingDirectory: "/",
            grace: .seconds(30))
        let listener = Listener(emit: emit)
        let status: ProcessStatus
        do {
            status = try await run.stream { line in listener.hear(line) }
        } catch let error as FleetError where error.code == .notFound {
            throw PgBackRestFailure.error(127, doing, said: error.message)
        }
        let said = listener.said
        for line in said.errors where ConsoleLine(line)?.level == .warning { log(line) }
        guard status.isSuccess else {
            throw PgBackRestFailure.error(status.shellCode, doing, said: said.errors.joined(separator: "\n"))
        }
        return said
    }

    /// Asks something.
    func ask(_ argv: [String], _ doing: String) async throws -> [UInt8] {
        let command = Command(argv, environment: environment, workingDirectory: "/", deadline: .seconds(120))
        let result = try await command.run(outputLimit: 256 << 20)
        guard result.status.isSuccess else {
            throw PgBackRestFailure.error(result.status.shellCode, doing, said: result.errorText)
        }
        return result.output
    }

    func info(_ doing: String) async throws -> InfoDocument {
        try InfoDocument(await ask(program.question("info", ["--output=json"]), doing))
    }

    func version() async throws -> PgBackRestVersion {
        let bytes = try await ask([program.binary, "version"], "the version of pgBackRest")
        guard let version = PgBackRestVersion(output: String(decoding: bytes, as: UTF8.self)) else {
            throw FleetError(
                .protocolViolation, "\(program.binary) does not say which version of pgBackRest it is",
                hint: "check `binary` of the engine")
        }
        return version
    }

    /// Nearly nothing but the password that libpq takes from there, and pgBackRest's own variables.
    private var environment: ProcessEnvironment { .inherited }
}

/// Hears what pgBackRest says, on two streams at once.
private final class Listener: Sendable {
    private let emit: @Sendable (TaskEvent) -> Void
    private let state = Mutex(State())

    private struct State {
        var said = PgBackRestRun.Said()
        var isInMessage = false
        var done: Int64 = 0
        var lastTold: ContinuousClock.Instant?
    }

    private static let interval = Duration.milliseconds(500)

    init(emit: @escaping @Sendable (TaskEvent) -> Void) {
        self.emit = emit
    }

    var said: PgBackRestRun.Said { state.withLock { $0.said } }

    func hear(_ line: OutputLine) {
        guard line.stream == .output else {
            state.withLock { state in
                state.said.errors.append(line.text)
                if state.said.errors.count > 200 { state.said.errors.removeFirst(100) }
            }
            return
        }
        guard let message = ConsoleLine(line.text) else {
            state.withLock { state in
                // What goes on with a message is indented; what a command answers with begins at the margin.
                if line.text.first?.isWhitespace == false { state.isInMessage = false }
                if state.isInMessage {
                    state.said.messages.append(line.text)
                } else {
                    state.said.output.append(line.text)
                }
            }
            return
        }
        let copied = CopiedFile(message.text)
        state.withLock { state in
            // A line for each file is too much to keep.
            state.isInMessage = message.level != .detail && copied == nil
            if state.isInMessage { state.said.messages.append(message.text) }
        }
        if let copied { tell(copied) }
    }

    private func tell(_ file: CopiedFile) {
        let now = ContinuousClock.now
        let progress: TaskProgress? = state.withLock { state in
            state.done += file.size
            if let last = state.lastTold, now - last < Self.interval, file.percent < 100 { return nil }
            if file.percent >= 100, state.lastTold != nil, file.size == 0 { return nil }
            state.lastTold = now
            let total = file.percent > 0 ? Int64(Double(state.done) / file.percent * 100) : nil
            return TaskProgress(phase: file.phase, bytesDone: state.done, bytesTotal: total.map { max($0, state.done) })
        }
        if let progress { emit(.progress(progress)) }
    }
}
