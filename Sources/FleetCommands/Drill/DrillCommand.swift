import ArgumentParser

/// `fleet drill`
struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill", abstract: "Prove that restores work, and keep the proof.",
        discussion: """
              fleet drill run orders
              fleet drill run --set shop --target random
              fleet drill list
            """,
        subcommands: [DrillRun.self, DrillList.self], defaultSubcommand: DrillList.self)
}
