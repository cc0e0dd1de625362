import FleetPluginAPI

/// Sees a task of a platform through: starts or adopts it, follows what it says, returns its result.
struct TaskFollower {
    let engine: any Engine
    let instance: Instance
    let platform: any Platform
    /// Secrets beyond what the engine asks for: those of the repositories.
    let secrets: [String: SecretReference]
    let note: @Sendable (String) async -> Void
    let progress: @Sendable (TaskProgress) async -> Void

    /// - Parameter place: where the task runs: the member, or its scratch instance.
    init(context: StepContext, engine: any Engine, member: String, place: Instance) throws {
        self.init(
            engine: engine, instance: place, platform: try context.inventory.platform(of: place),
            secrets: try context.inventory.repositorySecrets(of: member), note: context.note,
            progress: context.progress)
    }

    init(
        engine: any Engine, instance: Instance, platform: any Platform, secrets: [String: SecretReference],
        note: @escaping @Sendable (String) async -> Void, progress: @escaping @Sendable (TaskProgress) async -> Void
    ) {
        self.engine = engine
        self.instance = instance
        self.platform = platform
        self.secrets = secrets
        self.note = note
        self.progress = progress
    }

    /// What a task found or made, and what went wrong with it.
    struct Outcome {
        var result: JSONValue
        var failure: FleetError?
    }

    /// - Throws: what the task said went wrong, or `failed` with the end of its error output.
    func carryOut(_ task: TaskSpec) async throws -> JSONValue {
        let outcome = try await seeThrough(task)
        if let failure = outcome.failure { throw failure }
        return outcome.result
    }

    /// A task that fails may have found something nevertheless.
    func seeThrough(_ task: TaskSpec) async throws -> Outcome {
        switch try await platform.observeTask(task.key, of: instance) {
        case .finished(let outcome) where outcome.exitStatus != 0:
            await note("trying again: \(task.purpose)")
            try await platform.forgetTask(task.key, of: instance)
        case .lost:
            await note("the task was lost, starting it again: \(task.purpose)")
            try await platform.forgetTask(task.key, of: instance)
        case .finished, .running, .absent: break
        }
        var task = task
        task.secrets.merge(secrets) { engines, _ in engines }
        try await platform.launch(task, for: instance)
        let outcome = try await follow(task)
        // What failed is kept by the platform: `observeTask` tells a repeated call that it has to begin again.
        if outcome.failure == nil { try await platform.forgetTask(task.key, of: instance) }
        return outcome
    }

    private func follow(_ task: TaskSpec) async throws -> Outcome {
        var line = 0
        var result = JSONValue.object([:])
        var failure: FleetError?
        while true {
            // Observed before its output is read: what it wrote last is read after it is known to have ended.
            let observation = try await platform.observeTask(task.key, of: instance)
            let lines = try await platform.taskOutput(task.key, of: instance, from: line)
            line += lines.count
            for event in lines.compactMap(engine.event(fromLine:)) {
                switch event {
                case .progress(let made): await progress(made)
                case .log(let message): await note(message)
                case .result(let value): result = value
                case .failure(let error): failure = error
                }
            }
            switch observation {
            case .running:
                try await Task.sleep(for: .milliseconds(150))
            case .finished(let outcome) where outcome.exitStatus == 0:
                return Outcome(result: result, failure: nil)
            case .finished(let outcome):
                if let failure { return Outcome(result: result, failure: failure) }
                let errors = try await platform.taskErrors(task.key, of: instance)
                let error = FleetError(
                    .failed, "\(task.purpose) ended with exit status \(outcome.exitStatus)",
                    cause: errors.isEmpty ? nil : errors)
                return Outcome(result: result, failure: error)
            case .lost, .absent:
                throw FleetError(
                    .failed, "\(task.purpose) disappeared without an outcome",
                    hint: "its machine or supervisor died; the run can be resumed", retriable: true)
            }
        }
    }
}
