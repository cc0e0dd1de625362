import ArgumentParser
import FleetCoordinator
import FleetPluginAPI

/// `fleet window`
struct WindowCommand: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "window", abstract: "Draw the times to which instances can be restored.",
        discussion: """
            A window goes from the moment a backup is consistent to the last commit in the archive. A segment of WAL \
            that is missing cuts it; a restore or failover leaves a timeline behind. WAL that is not archived yet counts \
            once it is.

              fleet window
              fleet window orders billing -o json
            """)

    @Argument(help: ArgumentHelp("Instances; all when left out.", valueName: "instance")) var instances: [String] = []
    @Option(help: ArgumentHelp("Only this cluster; may be repeated.", valueName: "name")) var cluster: [String] = []
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> WindowReport {
        let coordinator = try await session.coordinator()
        let names = try InstanceChoice.names(instances, clusters: cluster, in: coordinator.inventory)
        return WindowReport(await coordinator.windows(of: names), now: coordinator.now)
    }
}
