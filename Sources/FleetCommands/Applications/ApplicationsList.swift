import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet applications list`
struct ApplicationsList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List applications and how many of each run.")

    @Option(help: ArgumentHelp("Only this cluster; may be repeated.", valueName: "name")) var cluster: [String] = []
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> ApplicationList {
        let coordinator = try await session.coordinator()
        for name in cluster { _ = try coordinator.inventory.platform(ofCluster: name) }
        let all = await coordinator.applicationStatus(clusters: cluster.isEmpty ? nil : Set(cluster))
        return ApplicationList(applications: all.map(ApplicationView.init))
    }
}

/// Applications in JSON.
struct ApplicationList: Displayable {
    var applications: [ApplicationView]

    func lines(_ page: Page) -> [StyledText] {
        guard !applications.isEmpty else { return ["fleet.yaml declares no applications here"] }
        let problems = applications.compactMap { application in application.problem.map { (application.name, $0) } }
        return ApplicationTable.lines(applications, page) + ProblemLines.lines(problems, page)
    }
}
