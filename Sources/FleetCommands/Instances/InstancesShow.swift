import ArgumentParser
import FleetCoordinator
import TerminalUI

/// `fleet instances show`
struct InstancesShow: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show instances in full: server, databases, archiving, backups, windows.")

    @Argument(help: ArgumentHelp("Instances.", valueName: "instance")) var instances: [String]
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> InstanceCards {
        let coordinator = try await session.coordinator()
        let names = try InstanceChoice.names(instances, in: coordinator.inventory)
        return InstanceCards(instances: try await InstanceList.look(at: names, coordinator).instances)
    }
}

/// Instances in JSON, as in `instances list`.
struct InstanceCards: Displayable {
    var instances: [InstanceView]

    func lines(_ page: Page) -> [StyledText] {
        Array(instances.map { InstanceCard.lines($0, page) }.joined(separator: [""]))
    }
}
