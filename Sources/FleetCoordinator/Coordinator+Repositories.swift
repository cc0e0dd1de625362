import FleetConfig
public import FleetPluginAPI
import FleetStore

/// What work on a repository found or did.
public struct RepositoryWork: Sendable {
    public var instance: String
    public var repository: String
    /// In the engine's words.
    public var report: JSONValue
    /// What is wrong; nil when all is well.
    public var failure: FleetError?
}

extension Coordinator {
    /// Reads backups and WAL of an instance and compares them with what was written.
    ///
    /// - Parameters:
    ///   - backups: labels; every backup when empty.
    ///   - share: how much of the content to read, in percent.
    ///   - repository: by name; nil for the first that the instance declares.
    public func verifyBackups(
        of name: String, backups: [String], share: Int = 100, repository: String? = nil, observer: any RunObserver
    ) async throws -> RepositoryWork {
        try await work(on: name, repository, observer) { engine, context, repository, key in
            try await engine.verify(
                VerifyRequest(key: "verify-\(key)", backups: backups, repository: repository, share: share), context)
        }
    }

    /// Removes the backups that retention does not keep, and the WAL that no kept backup needs.
    ///
    /// - Parameter asked: what stands in for the policy's retention: all that it says of full backups, or of
    ///   differential ones.
    /// - Throws: `refused` when nothing says how many to keep; `conflict` while a run on the instance has not ended.
    public func expireBackups(
        of name: String, keeping asked: Retention, repository: String? = nil, isDryRun: Bool,
        observer: any RunObserver
    ) async throws -> RepositoryWork {
        var retention = try inventory.retention(of: name)
        if asked.isDecided { (retention.full, retention.window) = (asked.full, asked.window) }
        retention.diff = asked.diff ?? retention.diff
        guard retention.isDecided else {
            throw FleetError(
                .refused, "nothing says how many backups of \(name) to keep",
                hint: "give its policy a retention in fleet.yaml, or say --keep-full N or --keep-window 30d")
        }
        if !isDryRun { try await refuseDuringRuns(on: name) }
        let done = try await work(on: name, repository, observer) { [retention] engine, context, repository, key in
            try await engine.expire(
                ExpireRequest(
                    key: "expire-\(key)", repository: repository, retention: retention, isDryRun: isDryRun), context)
        }
        if !isDryRun {
            try await store.audit(
                actor: person.name, action: "backups.expire", subject: "\(name)/\(done.repository)",
                details: done.report)
        }
        return done
    }

    /// Brings backups, and the WAL after them, from one of an instance's repositories to another.
    ///
    /// - Parameter backups: labels; every backup when empty.
    public func copyBackups(
        _ backups: [String], of name: String, from source: String, to destination: String,
        observer: any RunObserver
    ) async throws -> RepositoryWork {
        try requireUpkeep(.copy, of: name, hint: "give it several repositories: backups go to each of them")
        let declared = try inventory.repositoryNames(of: name)
        for repository in [source, destination] where !declared.contains(repository) {
            throw FleetError(
                .notFound, "\(name) does not use a repository \(repository)",
                hint: "it uses: " + declared.joined(separator: ", "))
        }
        let done = try await work(on: name, destination, observer) { engine, context, repository, key in
            try await engine.copy(
                CopyRequest(key: "copy-\(key)", source: source, destination: repository, backups: backups), context)
        }
        try await store.audit(
            actor: person.name, action: "backups.copy", subject: "\(name)/\(source)/\(destination)",
            details: done.report)
        return done
    }

    /// Mends what is damaged in one of an instance's repositories from the others, and says what is lost.
    ///
    /// - Parameter repository: by name; nil for the first that the instance declares.
    public func repairBackups(
        of name: String, repository: String? = nil, isDryRun: Bool, observer: any RunObserver
    ) async throws -> RepositoryWork {
        try requireUpkeep(.repair, of: name, hint: "see what is damaged: fleet backups verify \(name)")
        if !isDryRun { try await refuseDuringRuns(on: name) }
        let done = try await work(on: name, repository, observer) { engine, context, repository, key in
            try await engine.repair(
                RepairRequest(key: "repair-\(key)", repository: repository, isDryRun: isDryRun), context)
        }
        if !isDryRun {
            try await store.audit(
                actor: person.name, action: "backups.repair", subject: "\(name)/\(done.repository)",
                details: done.report)
        }
        return done
    }

    private func requireUpkeep(_ upkeep: EngineCapabilities.Upkeep, of name: String, hint: String) throws {
        guard try inventory.engine(of: name).capabilities.upkeep.contains(upkeep) else {
            throw FleetError(
                .unsupported, "fleet cannot \(upkeep.rawValue) backups of \(name)",
                cause: "its engine has no such work",
                hint: hint)
        }
    }

    /// Keeps a backup whatever retention says.
    ///
    /// - Parameters:
    ///   - repository: by name; nil for the one that has it.
    ///   - end: when the hold ends by itself; nil for never.
    /// - Returns: the backup as it is listed now.
    public func holdBackup(
        _ label: String, of name: String, in repository: String?, reason: String, until end: Timestamp?
    ) async throws -> BackupRecord {
        let hold = BackupHold(reason: reason, holder: person.name, since: now, until: end)
        return try await set(hold, on: label, of: name, in: repository, "backups.hold")
    }

    /// Lets a held backup go.
    public func releaseBackup(_ label: String, of name: String, in repository: String?) async throws -> BackupRecord {
        try await set(nil, on: label, of: name, in: repository, "backups.release")
    }

    private func set(
        _ hold: BackupHold?, on label: String, of name: String, in repository: String?, _ action: String
    ) async throws -> BackupRecord {
        let instance = try inventory.instance(name)
        let engine = try inventory.engine(of: name)
        try requireUpkeep(
            .hold, of: name, hint: "keep more backups: retention.full or retention.window of its policy")
        func find() async throws -> BackupRecord {
            let found = try await inventory.catalog(of: instance).backups.filter {
                $0.label == label && repository.map([$0.repository].contains) ?? true
            }
            guard let backup = found.first else {
                throw FleetError(
                    .notFound, "\(name) has no backup \(label)" + (repository.map { " in \($0)" } ?? ""),
                    hint: "see: fleet backups list \(name)")
            }
            guard found.count == 1 else {
                throw FleetError(
                    .usage, "\(label) is in several repositories",
                    hint: "say which: --repository " + found.map(\.repository).joined(separator: " or "))
            }
            return backup
        }
        let backup = try await find()
        try await engine.hold(label, in: backup.repository, hold, inventory.readingContext(of: instance))
        try await store.audit(
            actor: person.name, action: action, subject: "\(name)/\(label)",
            details: .object([
                "repository": .string(backup.repository),
                "reason": (hold ?? backup.hold).map { .string($0.reason) } ?? .null,
            ]))
        return try await find()
    }

    private func work(
        on name: String, _ repository: String?, _ observer: any RunObserver,
        _ task: (any Engine, EngineContext, _ repository: String, _ key: String) async throws -> TaskSpec
    ) async throws -> RepositoryWork {
        let instance = try inventory.instance(name)
        let declared = try inventory.repositoryNames(of: name)
        let chosen = repository ?? declared[0]
        guard declared.contains(chosen) else {
            throw FleetError(
                .notFound, "\(name) does not use a repository \(chosen)",
                hint: "it uses: " + declared.joined(separator: ", "))
        }
        let engine = try inventory.engine(of: name)
        let context = try await inventory.workingContext(of: instance)
        let key = "\(now.microseconds)-\(shortHash("\(name)/\(chosen)"))"
        let platform = try inventory.platform(of: instance)
        let spec = try await task(engine, context, chosen, key)
        let follower = TaskFollower(
            engine: engine, instance: instance, platform: platform,
            secrets: try inventory.repositorySecrets(of: name),
            note: { await observer.noted(step: spec.key, $0) },
            progress: { await observer.progressed(step: spec.key, $0) })
        let outcome = try await withTaskCancellationHandler {
            try await follower.seeThrough(spec)
        } onCancel: {
            // Nobody would ever ask for its outcome again.
            Task { try? await platform.cancelTask(spec.key, of: instance) }
        }
        if outcome.failure != nil { try await platform.forgetTask(spec.key, of: instance) }
        return RepositoryWork(
            instance: name, repository: chosen, report: outcome.result, failure: outcome.failure)
    }

    private func refuseDuringRuns(on name: String) async throws {
        try await markAbandoned()
        let open = try await store.runs(states: [.running, .waiting, .interrupted, .aborting], limit: 1000)
        for run in open where try run.decodedPlan().member(name) != nil {
            throw FleetError(
                .conflict, "run \(run.id) on \(name) has not ended", cause: run.title,
                hint: "finish it first: fleet runs show \(run.id)", retriable: false)
        }
    }
}
