import FleetPluginAPI

/// Sees a task of a platform through: starts or adopts it, follows what it says, returns its result.
struct TaskFollower {
    let context: StepContext
    let engine: any Engine
    let instance: Instance

    /// - Throws: what the task said went wrong, or `failed` with the end of its error output.
    func carryOut(_ task: TaskSpec) async throws -> JSONValue {
        let platform = try context.inventory.platform(of: instance)
        switch try await platform.observeTask(task.key, of: instance) {
        case .finished(let outcome) where outcome.exitStatus != 0:
            await context.note("trying again: \(task.purpose)")
            try await platform.forgetTask(task.key, of: instance)
        case .lost:
            await context.note("the task was lost, starting it again: \(task.purpose)")
            try await platform.forgetTask(task.key, of: instance)
        case .finished, .running, .absent: break
        }
        try await platform.launch(task, for: instance)
        let result = try await follow(task, platform)
        try await platform.forgetTask(task.key, of: instance)
        return result
    }

    private func follow(_ task: TaskSpec, _ platform: any Platform) async throws -> JSONValue {
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
                case .progress(let progress): await context.progress(progress)
                case .log(let message): await context.note(message)
                case .result(let value): result = value
                case .failure(let error): failure = error
                }
            }
            switch observation {
            case .running:
                try await Task.sleep(for: .milliseconds(150))
            case .finished(let outcome) where outcome.exitStatus == 0:
                return result
            case .finished(let outcome):
                if let failure { throw failure }
                let errors = try await platform.taskErrors(task.key, of: instance)
                throw FleetError(
                    .failed, "\(task.purpose) ended with exit status \(outcome.exitStatus)",
                    cause: errors.isEmpty ? nil : errors)
            case .lost, .absent:
                throw FleetError(
                    .failed, "\(task.purpose) disappeared without an outcome",
                    hint: "its machine or supervisor died; the run can be resumed", retriable: true)
            }
        }
    }
}
