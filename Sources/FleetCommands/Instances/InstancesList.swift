import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet instances list`
struct InstancesList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List instances: what fleet.yaml says, and what is so.")

    @Option(help: ArgumentHelp("Only this cluster; may be repeated.", valueName: "name")) var cluster: [String] = []
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> InstanceList {
        let coordinator = try await session.coordinator()
        let names = try InstanceChoice.names([], clusters: cluster, in: coordinator.inventory)
        return try await InstanceList.look(at: names, coordinator)
    }
}

/// Instances in JSON.
struct InstanceList: Displayable {
    var instances: [InstanceView]

    static func look(at names: [String], _ coordinator: Coordinator) async throws -> InstanceList {
        let clusters = Set(try names.map { try coordinator.inventory.instance($0).cluster })
        let status = await coordinator.status(clusters: clusters)
        return InstanceList(
            instances: try status.instances.filter { names.contains($0.instance) }.map {
                InstanceView($0, declared: try coordinator.inventory.declaration($0.instance))
            })
    }

    func lines(_ page: Page) -> [StyledText] {
        guard !instances.isEmpty else { return ["fleet.yaml declares no instances here"] }
        guard page.isVerbose else {
            let problems = instances.flatMap { instance in instance.problems.map { (instance.name, $0) } }
            return InstanceTable.lines(instances, page) + ProblemLines.lines(problems, page)
        }
        return Array(instances.map { InstanceCard.lines($0, page) }.joined(separator: [""]))
    }
}
