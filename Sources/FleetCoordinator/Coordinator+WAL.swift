import FleetPluginAPI

extension Coordinator {
    /// Receives the WAL of instances whose engine takes it over the replication protocol, until it is cancelled.
    ///
    /// - Throws: `unsupported` before anything is done where an engine does not.
    public func receiveWAL(
        of names: [String], log: @escaping @Sendable (_ instance: String, _ line: String) -> Void
    ) async throws {
        let work = try names.map { name in
            let instance = try inventory.instance(name)
            let engine = try inventory.engine(of: name)
            guard try inventory.walSlot(of: instance) != nil else {
                throw FleetError(
                    .unsupported, "WAL of \(name) is archived by its own server",
                    hint: "set `wal: stream` of its engine (native) to receive it")
            }
            return (instance, engine, try inventory.platform(of: instance), try inventory.readingContext(of: instance))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (instance, engine, platform, context) in work {
                group.addTask {
                    try await engine.receiveWAL(
                        context, endpoint: { try await platform.endpoint(of: instance) },
                        log: { log(instance.name, $0) })
                }
            }
            try await group.waitForAll()
        }
    }
}
