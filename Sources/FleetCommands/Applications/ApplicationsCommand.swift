import ArgumentParser

/// `fleet applications`
struct ApplicationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "applications", abstract: "What uses the instances, and how it is scaled.",
        subcommands: [
            ApplicationsList.self, ApplicationsStart.self, ApplicationsStop.self, ApplicationsScale.self,
        ], defaultSubcommand: ApplicationsList.self)
}
