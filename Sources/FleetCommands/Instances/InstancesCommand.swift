import ArgumentParser

/// `fleet instances`
struct InstancesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instances", abstract: "PostgreSQL servers, declared and observed.",
        subcommands: [InstancesList.self, InstancesShow.self, InstancesArchiving.self],
        defaultSubcommand: InstancesList.self)
}
