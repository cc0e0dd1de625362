import FleetPluginAPI

/// Finds out, before anything is changed, what would make a plan fail halfway: permissions that are missing, owners
/// that would fight it.
struct ObstacleCheck: Sendable {
    let inventory: Inventory

    /// What is in the way, and what goes differently than a reader would expect; each in a sentence.
    struct Findings: Sendable {
        var obstacles: [String] = []
        var remarks: [String] = []
    }

    /// - Throws: `refused` that lists every obstacle; whatever keeps one from being found out.
    /// - Returns: the remarks.
    func pass(_ work: PlatformWork, instances: [Instance], applications: [String]) async throws -> [String] {
        let findings = try await withThrowingTaskGroup(of: Findings.self) { group in
            for instance in instances {
                group.addTask { try await look(at: instance, work) }
            }
            for application in applications {
                group.addTask { try await look(atApplication: application) }
            }
            return try await group.reduce(into: Findings()) {
                $0.obstacles += $1.obstacles
                $0.remarks += $1.remarks
            }
        }
        guard findings.obstacles.isEmpty else {
            let count = findings.obstacles.count
            throw FleetError(
                .refused, "\(count) \(count == 1 ? "thing is" : "things are") in the way, and nothing was changed",
                cause: findings.obstacles.sorted().joined(separator: "; "),
                hint: "mend what is named, then plan again")
        }
        return findings.remarks.sorted()
    }

    private func look(at instance: Instance, _ work: PlatformWork) async throws -> Findings {
        let platform = try inventory.platform(of: instance)
        let obstacles = try await platform.obstacles(to: work, of: instance)
        let remarks = try await platform.remarks(on: work, of: instance)
        return Findings(
            obstacles: obstacles.map { "\(instance.name): \($0)" }, remarks: remarks.map { "\(instance.name): \($0)" })
    }

    private func look(atApplication name: String) async throws -> Findings {
        let obstacles = try await inventory.scaler(of: name).obstacles()
        return Findings(obstacles: obstacles.map { "\(name): \($0)" })
    }
}
