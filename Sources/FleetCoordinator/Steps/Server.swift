import FleetPluginAPI

/// The server is gone: process, shared memory, socket.
struct Stop: StepPerformer {
    static let patience: Duration = .seconds(300)

    func observe(_ context: StepContext) async throws -> JSONValue? {
        let instance = try await context.place()
        switch try await context.inventory.platform(of: instance).observe(instance).state {
        case .stopped, .absent: return .object([:])
        case .running, .starting, .stopping: return nil
        }
    }

    func perform(_ context: StepContext) async throws -> JSONValue {
        let instance = try await context.place()
        let platform = try context.inventory.platform(of: instance)
        try await ApplicationWatch(context: context).demandDown()
        try await platform.stop(instance, mode: .fast, deadline: Self.patience)
        return .object([:])
    }
}

/// The old data directory is out of the way and kept.
struct SetAside: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let instance = try await context.place()
        try await context.inventory.platform(of: instance).setAside(instance, tag: context.run)
        return ["tag": .string(context.run)]
    }
}

/// The data directory that was set aside is back in its place.
struct PutBack: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let instance = try await context.place()
        guard let tag = try context.member().undo?.tag else {
            throw FleetError(.drifted, "the plan does not say where the old data of \(instance.name) is")
        }
        try await context.inventory.platform(of: instance).putBack(instance, tag: tag)
        return ["tag": .string(tag)]
    }
}

/// The server accepts connections, in recovery or not.
struct Start: StepPerformer {
    static let patience: Duration = .seconds(600)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let instance = try await context.place()
        try await context.inventory.platform(of: instance).start(instance, deadline: Self.patience)
        return .object([:])
    }
}

/// An empty place for a restore beside its source.
struct MakeScratch: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let request = try context.member().scratch else {
            throw FleetError(.drifted, "the plan does not say where to restore to")
        }
        let place = try await context.inventory.platform(of: request.source).makeScratch(request)
        return try CanonicalJSON.value(place)
    }
}

/// The scratch instance is gone, data included.
struct RemoveScratch: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let request = try context.member().scratch else {
            throw FleetError(.drifted, "the plan names no scratch instance")
        }
        try await context.inventory.platform(of: request.source).removeScratch(request)
        return .object([:])
    }
}

extension StepContext {
    /// The instance that the step works on: the member itself.
    func target() throws -> Instance {
        try inventory.instance(step.subject)
    }

    /// Where an instance answers, or the copy that the run has made of it.
    func endpoint(of member: String) async throws -> Endpoint {
        var context = self
        context.step.subject = member
        let place = plan.member(member) == nil ? try inventory.instance(member) : try await context.place()
        return try await inventory.platform(of: place).endpoint(of: place)
    }

    /// The instance that the step works on, which for a restore beside is the scratch instance.
    func place() async throws -> Instance {
        try await scratchPlace()?.instance ?? target()
    }

    /// Where a restore beside goes; nil for one in place.
    func scratchPlace() async throws -> ScratchPlace? {
        guard try member().scratch != nil else { return nil }
        guard let output = await output(StepPlan.id(.makeScratch, step.subject)) else {
            throw FleetError(.corrupted, "the journal of \(run) does not say where the scratch instance is")
        }
        return try CanonicalJSON.decode(ScratchPlace.self, from: output)
    }
}
