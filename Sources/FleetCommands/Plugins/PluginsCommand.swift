import ArgumentParser

/// `fleet plugins`
struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "What fleet can work with.", subcommands: [PluginsList.self],
        defaultSubcommand: PluginsList.self)
}
