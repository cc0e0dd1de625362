import ArgumentParser

/// `fleet applications scale`
struct ApplicationsScale: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "scale", abstract: "Run so many of an application.",
        discussion: """
            For applications that fleet itself keeps running; others are refused. fleet.yaml stays as it is: `fleet \
            applications start` goes back to its count.

              fleet applications scale backend-dev 3
            """)

    @Argument(help: "The application.") var application: String
    @Argument(help: "How many shall run.") var count: Int
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (0...10_000).contains(count) else { throw ValidationError("the count must be 0 to 10000, not \(count)") }
    }

    func answer(_ session: Session) async throws -> ApplicationList {
        try await ApplicationScaling(session: session).set([application], to: count)
    }
}
