import FleetPluginAPI

/// What an API server was found to serve, for a while.
actor Discovery {
    /// Long enough for a plan, short enough for a definition that is installed meanwhile.
    private static let life: Duration = .seconds(60)

    private struct Entry {
        var value: JSONValue?
        var readAt: ContinuousClock.Instant
    }

    private var entries: [String: Entry] = [:]

    /// The answer at `path`, nil where there is none; asked for when it is not known, or no longer.
    func value(at path: String, _ ask: () async throws -> JSONValue?) async throws -> JSONValue? {
        if let entry = entries[path], entry.readAt.duration(to: .now) < Self.life { return entry.value }
        let value = try await ask()
        entries[path] = Entry(value: value, readAt: .now)
        return value
    }
}
