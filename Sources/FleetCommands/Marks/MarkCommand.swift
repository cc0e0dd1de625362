import ArgumentParser

/// `fleet mark`
struct MarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mark", abstract: "Points to which all members of a restore set can be restored together.",
        subcommands: [MarkCreate.self, MarkList.self])
}
