import FleetConfig
public import FleetPluginAPI

extension Inventory {
    /// What an engine needs to read an instance's repositories; asks nobody.
    public func readingContext(of instance: Instance) throws -> EngineContext {
        EngineContext(
            instance: instance, repositories: try repositories(of: instance.name), agent: agentHere, location: nil,
            endpoint: nil, ask: try ask(beside: instance))
    }

    /// Runs short commands beside the data of an instance.
    private func ask(beside instance: Instance) throws -> EngineContext.Ask {
        let platform = try platform(of: instance)
        return { query in try await platform.query(query, of: instance) }
    }

    /// What an engine needs to describe work beside the data: the agent is put there, and the place is looked up.
    ///
    /// - Parameter place: where the work is done when that is not the instance itself: its scratch instance.
    public func workingContext(of instance: Instance, at place: Instance? = nil) async throws -> EngineContext {
        let there = place ?? instance
        let platform = try platform(of: there)
        return EngineContext(
            instance: instance, repositories: try repositories(of: instance.name),
            agent: try await platform.installAgent(try configuration.extract(instance: instance.name), for: there),
            location: try await platform.location(of: there),
            endpoint: try await platform.taskEndpoint(of: there), ask: try ask(beside: there))
    }

    /// The replication slot through which the instance's WAL is received; nil where its server archives it.
    public func walSlot(of instance: Instance) throws -> String? {
        try engine(of: instance.name).walSlot(readingContext(of: instance))
    }

    /// What to write into the configuration of an instance so that it archives and can recover; puts the agent there.
    public func archiveCommands(of instance: Instance) async throws -> ArchiveCommands {
        let engine = try engine(of: instance.name)
        return try engine.archiving(try await workingContext(of: instance))
    }

    /// What the instance's own declaration must have so that its server can call the agent; nil where it has no need to.
    public func integration(of instance: Instance) async throws -> AgentIntegration? {
        guard try engine(of: instance.name).serverCallsAgent(readingContext(of: instance)) else { return nil }
        return try await platform(of: instance).integration(of: instance)
    }

    /// What a server that cannot call the agent lacks, and how to mend it, in a sentence.
    func integrationRemark(_ instance: Instance) async throws -> String? {
        guard let lack = try await integration(of: instance)?.lack else { return nil }
        return "\(lack): its server cannot call fleet to archive or to recover. Apply what `fleet instances archiving "
            + "\(instance.name) --patch` prints"
    }

    public func catalog(of instance: Instance) async throws -> Catalog {
        try await engine(of: instance.name).catalog(readingContext(of: instance))
    }
}
