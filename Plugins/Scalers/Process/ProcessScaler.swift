import DurableFiles
public import FleetPluginAPI
import ProcessRunner

/// An application on this machine: copies of a command that fleet keeps alive, or a systemd unit.
public struct ProcessScaler: SupervisingScaler {
    let application: String
    let kind: Kind
    let folder: ApplicationFolder
    let agent: AgentInvocation
    let disk = Disk()

    enum Kind: Sendable {
        case command(ApplicationDefinition)
        case unit(String)
    }

    /// - Throws: `configuration` when the options name neither or both of a command and a unit.
    public init(context: PluginContext, options: PluginOptions) throws {
        application = context.name
        folder = try ApplicationFolder(state: context.stateDirectory, application: context.name)
        agent = context.agent
        switch (options.strings("command"), options.string("systemdUnit")) {
        case (let command?, nil) where !command.isEmpty:
            kind = .command(try ApplicationDefinition(command, options, in: folder))
        case (nil, let unit?): kind = .unit(unit)
        default:
            throw FleetError(
                .configuration, "the application \(context.name) needs either command or systemdUnit",
                hint: "command is a list of strings, the program first")
        }
    }

    public var declaredCount: Int {
        switch kind {
        case .command(let definition): definition.count
        case .unit: 1
        }
    }

    public func observe() async throws -> ScaleObservation {
        switch kind {
        case .command(let definition): try await observeCopies(definition)
        case .unit(let unit): try await observeUnit(unit)
        }
    }

    public func quiesce(run: String) async throws -> QuiesceRecord {
        let changing = try await lock()
        defer { changing.release() }
        let record = try await self.record(for: run)
        switch kind {
        case .command(let definition): try await apply(0, definition)
        case .unit(let unit): try await Systemd.stop(unit).checked()
        }
        return record
    }

    public func resume(_ record: QuiesceRecord) async throws {
        let changing = try await lock()
        defer { changing.release() }
        guard let kept = try await disk.run({ try folder.record }) else { return }
        try check(kept, is: record.run)
        switch kind {
        case .command(let definition): try await apply(kept.original, definition)
        case .unit(let unit): if kept.original > 0 { try await Systemd.start(unit).checked() }
        }
        // Last: until here a crash finds the record and brings back what it says once more.
        try await disk.run { try folder.removeRecord() }
    }

    public func awaitGone(deadline: Duration) async throws {
        switch kind {
        case .command(let definition): try await awaitCopiesGone(definition, deadline)
        case .unit(let unit): try await awaitUnitGone(unit, deadline)
        }
    }

    public func awaitReady(_ record: QuiesceRecord, deadline: Duration) async throws {
        let end = ContinuousClock.now + deadline
        while true {
            let now = try await observe()
            if now.ready >= record.original { return }
            guard ContinuousClock.now < end else {
                throw FleetError(
                    .timedOut,
                    "\(now.ready) of \(record.original) copies of \(application) are ready after "
                        + DurationText.text(deadline),
                    cause: now.remarks.isEmpty ? nil : now.remarks.joined(separator: "; "),
                    hint: "look into its log")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The record of this run: the one that is there, or a new one of what is so now, durable before anything changes.
    private func record(for run: String) async throws -> QuiesceRecord {
        if let kept = try await disk.run({ try folder.record }) {
            try check(kept, is: run)
            return kept
        }
        let record =
            switch kind {
            case .command: QuiesceRecord(run: run, original: try await disk.run { try folder.desired?.count ?? 0 })
            case .unit(let unit): try await unitRecord(unit, run)
            }
        try await disk.run { try folder.create(record) }
        return record
    }

    private func check(_ record: QuiesceRecord, is run: String) throws {
        guard record.run == run else {
            throw FleetError(
                .conflict, "the application \(application) was taken down by another run",
                cause: "the run \(record.run) has not brought it back", hint: "resume, abort or undo that run first",
                retriable: false)
        }
    }

    func lock() async throws -> FileLock {
        try await FileLock.acquire(
            folder.changeLock, deadline: .seconds(30), options: WriteOptions(mode: 0o600, directoryMode: 0o750))
    }
}
