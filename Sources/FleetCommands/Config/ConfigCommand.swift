import ArgumentParser

/// `fleet config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check fleet.yaml, and help to write it.",
        subcommands: [ConfigCheck.self, ConfigSchemaCommand.self, ConfigExtract.self])
}
