import ArgumentParser

/// `fleet set`
struct SetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Restore sets: instances that are restored to one consistent point.",
        subcommands: [SetCheck.self])
}
