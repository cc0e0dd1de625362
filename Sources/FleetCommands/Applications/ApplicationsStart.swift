import ArgumentParser

/// `fleet applications start`
struct ApplicationsStart: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Run as many of an application as fleet.yaml says.",
        discussion: "For applications that fleet itself keeps running; others are refused.")

    @Argument(help: ArgumentHelp("Applications.", valueName: "application")) var applications: [String]
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> ApplicationList {
        try await ApplicationScaling(session: session).set(applications, to: nil)
    }
}
