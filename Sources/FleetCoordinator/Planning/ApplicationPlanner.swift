import FleetConfig
import FleetPluginAPI

/// Finds the applications that a restore concerns and how they are scaled now.
struct ApplicationPlanner: Sendable {
    let inventory: Inventory

    /// - Parameter records: what an earlier run recorded of applications that it took down.
    /// - Throws: when an application cannot be observed, or is down by another run.
    func plans(using instances: [String], records: [String: QuiesceRecord]) async throws -> [Plan.ApplicationPlan] {
        let concerned = inventory.applications.filter { !Set($0.uses).isDisjoint(with: instances) }
        return try await withThrowingTaskGroup(of: Plan.ApplicationPlan.self) { group in
            for application in concerned {
                group.addTask {
                    let scale = try await inventory.scaler(of: application.name).observe()
                    let record = records[application.name]
                    if let found = scale.record, found.run != record?.run {
                        throw FleetError(
                            .refused,
                            "\(application.name) was taken down by run \(found.run), which has not brought it back",
                            hint:
                                "finish that run first: fleet runs resume \(found.run) or fleet runs abort \(found.run)"
                        )
                    }
                    return Plan.ApplicationPlan(
                        name: application.name, cluster: application.cluster, environment: application.environment,
                        uses: application.uses,
                        after: inventory.configuration.applications[application.name]?.after ?? [], scale: scale,
                        record: scale.record)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.name < $1.name }
        }
    }
}
