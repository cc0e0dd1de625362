import FleetConfig
import FleetPluginAPI

/// Distributes instances and applications over the stages of a rollout.
///
/// An instance is restored in the first stage in which an application that uses it comes back: one that dev and prod share
/// is restored once, with the applications of both down, and dev proves it before prod comes back. The members of a
/// restore set are restored together.
struct StagePlanner: Sendable {
    let members: [Plan.Member]
    let applications: [Plan.ApplicationPlan]
    let rollout: RolloutDeclaration
    /// Environments in the order that was asked for.
    let order: [String]
    let isSet: Bool

    /// Empty where there is but one and nothing is asked of it.
    func stages() -> [Plan.Stage] {
        guard !order.isEmpty else { return [] }
        let environments = Self.ordered(
            Set(applications.map(\.environment)).union(orphans.map(\.environment)), named: order)
        var restored: [String: Int] = [:]
        for member in members {
            let users = applications.filter { $0.uses.contains(member.instance) }.map(\.environment)
            let all = users.isEmpty ? [member.environment] : users
            restored[member.instance] = all.compactMap { environments.firstIndex(of: $0) }.min() ?? 0
        }
        if isSet, let first = restored.values.min() { restored = restored.mapValues { _ in first } }
        let stages = environments.enumerated().map { index, environment in
            let instances = members.filter { restored[$0.instance] == index }
            return stage(
                environment, instances: instances,
                applications: applications.filter { $0.environment == environment }.map(\.name))
        }
        let isPlain = stages.allSatisfy { $0.approval == nil && $0.soak == nil && $0.maxFailures == 0 }
        return stages.count == 1 && isPlain ? [] : stages
    }

    /// Instances that no application uses belong to their cluster's environment.
    private var orphans: [Plan.Member] {
        members.filter { member in !applications.contains { $0.uses.contains(member.instance) } }
    }

    private func stage(_ environment: String, instances: [Plan.Member], applications: [String]) -> Plan.Stage {
        let declared = rollout.stages.first { $0.environment == environment }
        var stage = Plan.Stage(name: environment, instances: instances.map(\.instance), applications: applications)
        stage.estimate = instances.compactMap { $0.estimate?.duration }.max()
        guard let declared else { return stage }
        stage.maxFailures = declared.maxFailures
        if declared.requiresApproval {
            stage.approval = Plan.Stage.Approval(
                byAnother: declared.approvedByAnother, expires: declared.approvalExpires, deadline: declared.deadline)
        }
        if declared.soak ?? .zero > .zero || !declared.probes.isEmpty {
            stage.soak = Plan.Stage.Soak(
                duration: declared.soak ?? .zero, probes: declared.probes.count, deadline: declared.deadline)
        }
        return stage
    }

    /// Those that are named, in their order, then the others by name with production last.
    static func ordered(_ environments: Set<String>, named: [String]) -> [String] {
        let first = named.filter(environments.contains)
        return first
            + environments.subtracting(first)
            .sorted { ($0 == "prod" ? 1 : 0, $0) < ($1 == "prod" ? 1 : 0, $1) }
    }
}

/// Applications in the order in which they come back: each after those that it waits for.
enum ApplicationOrder {
    /// Groups that come back together, one after the other.
    ///
    /// - Parameter after: what each waits for; what is not among the names is not waited for.
    static func groups(_ names: [String], after: [String: [String]]) -> [[String]] {
        var groups: [[String]] = []
        var left = names
        while !left.isEmpty {
            let waiting = Set(left)
            let next = left.filter { name in !(after[name] ?? []).contains { waiting.contains($0) && $0 != name } }
            // A circle is refused by the configuration.
            groups.append(next.isEmpty ? left : next)
            left = next.isEmpty ? [] : left.filter { !next.contains($0) }
        }
        return groups
    }
}
