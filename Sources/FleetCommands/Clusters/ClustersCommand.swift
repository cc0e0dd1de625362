import ArgumentParser

/// `fleet clusters`
struct ClustersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusters", abstract: "Where instances and applications live.", subcommands: [ClustersList.self],
        defaultSubcommand: ClustersList.self)
}
