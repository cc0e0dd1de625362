import FleetConfig
import FleetPluginAPI
import FleetPluginHost

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
    func pass(members: [Plan.Member], beside: Bool, applications: [String]) async throws -> [String] {
        let findings = try await withThrowingTaskGroup(of: Findings.self) { group in
            for member in members {
                let instance = try inventory.instance(member.instance)
                group.addTask { try await look(at: instance, beside ? .restoreBeside : .restore) }
                if member.wayBack == .setAside { group.addTask { try await look(at: instance, .setAside) } }
                if let scratch = member.scratch { group.addTask { try await look(at: scratch) } }
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
        var remarks = try await platform.remarks(on: work, of: instance)
        // No obstacle: the server's image may have other means of its own.
        if work == .restore, let lack = try await inventory.integrationRemark(instance) { remarks.append(lack) }
        return Findings(
            obstacles: obstacles.map { "\(instance.name): \($0)" }, remarks: remarks.map { "\(instance.name): \($0)" })
    }

    private func look(at scratch: ScratchRequest) async throws -> Findings {
        let platform = try inventory.platform(of: scratch.source)
        var obstacles = try await platform.obstacles(toScratch: scratch)
        if let place = scratch.place, let other = occupant(of: place) {
            obstacles.append("\(place) lies in \(other)")
        }
        return Findings(obstacles: obstacles.map { "the copy \(scratch.name): \($0)" })
    }

    /// What of this fleet a directory would come to lie in: the path of a repository. Data directories the platform
    /// knows by itself.
    private func occupant(of place: String) -> String? {
        for (name, repository) in inventory.configuration.repositories.sorted(by: { $0.key < $1.key }) {
            let options = inventory.registry.descriptor(.storage, repository.storage.plugin)?.options ?? []
            for option in options where option.kind == .path {
                guard let path = repository.storage.options.string(option.name) else { continue }
                if place == path || place.hasPrefix(path + "/") { return "the repository \(name), \(path)" }
            }
        }
        return nil
    }

    private func look(atApplication name: String) async throws -> Findings {
        let obstacles = try await inventory.scaler(of: name).obstacles()
        return Findings(obstacles: obstacles.map { "\(name): \($0)" })
    }
}
