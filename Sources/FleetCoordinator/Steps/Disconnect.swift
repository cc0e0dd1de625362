import FleetPluginAPI

/// Nobody is connected to the instance any more, except fleet.
struct Disconnect: StepPerformer {
    static let patience: Duration = .seconds(15)

    func observe(_ context: StepContext) async throws -> JSONValue? {
        let instance = try context.inventory.instance(context.step.subject)
        let state = try await context.inventory.platform(of: instance).observe(instance).state
        return state == .running || state == .starting ? nil : ["sessions": 0]
    }

    func perform(_ context: StepContext) async throws -> JSONValue {
        let instance = try context.inventory.instance(context.step.subject)
        let endpoint = try await context.inventory.platform(of: instance).endpoint(of: instance)
        let clock = ContinuousClock()
        let end = clock.now + Self.patience
        var terminated = 0
        while true {
            let sessions = try await context.servers.sessions(endpoint, deadline: .seconds(10)).filter(\.isClient)
            if sessions.isEmpty { return ["terminated": .integer(Int64(terminated))] }
            if context.plan.options.sessions == .terminate {
                terminated += try await context.servers.terminate(sessions, at: endpoint, deadline: .seconds(10))
            }
            if clock.now >= end { throw stillConnected(instance.name, sessions) }
            try await clock.sleep(for: .milliseconds(500))
        }
    }

    private func stillConnected(_ instance: String, _ sessions: [ServerSession]) -> FleetError {
        let who = sessions.prefix(5).map(\.summary).joined(separator: "; ")
        let more = sessions.count > 5 ? " and \(sessions.count - 5) more" : ""
        return FleetError(
            .refused,
            "\(sessions.count) \(sessions.count == 1 ? "session is" : "sessions are") still connected to \(instance)",
            cause: who + more,
            hint: "close them, declare their application in fleet.yaml, or end them with --sessions terminate")
    }
}

extension ServerSession {
    /// Whether it may hold or change data: replication and fleet's own agents stay until the server stops.
    var isClient: Bool { database != nil }

    /// `app "psql" of shop@orders from local (idle)`
    var summary: String {
        let name = application.isEmpty ? "a session" : "\"\(application)\""
        return "\(name) of \(user ?? "?") in \(database ?? "?") from \(client), \(state), since \(startedAt.clockText)Z"
    }
}
