import ArgumentParser

/// `fleet applications stop`
struct ApplicationsStop: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop an application, until it is started again.",
        discussion: "For applications that fleet itself keeps running; others are refused.")

    @Argument(help: ArgumentHelp("Applications.", valueName: "application")) var applications: [String]
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> ApplicationList {
        try await ApplicationScaling(session: session).set(applications, to: 0)
    }
}
