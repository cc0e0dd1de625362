import FleetPluginAPI
import KubernetesClient

/// What the account may do, asked once for many: thousands of workloads need the same permissions in a few namespaces.
actor SharedAccess {
    /// Long enough for a plan, short enough for whoever mends a role and plans again.
    private static let life: Duration = .seconds(5)

    private struct Answer {
        var allowed: Task<Bool, any Error>
        var askedAt: ContinuousClock.Instant
    }

    private let client: KubernetesClient
    private var answers: [AccessCheck: Answer] = [:]

    init(_ client: KubernetesClient) {
        self.client = client
    }

    /// Which of these are not allowed.
    nonisolated func missing(_ needed: Set<AccessCheck>) async throws -> [AccessCheck] {
        try await withThrowingTaskGroup(of: AccessCheck?.self) { group in
            for check in needed {
                group.addTask { try await self.isAllowed(check) ? nil : check }
            }
            return try await group.reduce(into: []) { if let check = $1 { $0.append(check) } }
        }
    }

    /// Whoever may do it to all objects of a namespace may do it to this one, and most may.
    private nonisolated func isAllowed(_ check: AccessCheck) async throws -> Bool {
        var general = check
        general.name = nil
        if try await answer(general) { return true }
        return check.name == nil ? false : try await answer(check)
    }

    private func answer(_ check: AccessCheck) async throws -> Bool {
        if let known = answers[check], known.askedAt.duration(to: .now) < Self.life {
            return try await known.allowed.value
        }
        let asking = Task { [client] in try await client.check([check]).isEmpty }
        answers[check] = Answer(allowed: asking, askedAt: .now)
        return try await asking.value
    }
}
