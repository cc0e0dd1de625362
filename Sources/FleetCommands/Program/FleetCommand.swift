import ArgumentParser

/// `fleet`
struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Backs up PostgreSQL servers, and restores them with the applications that use them.",
        discussion: """
            One fleet.yaml says what there is. A restore is planned and proven before \
            anything is stopped, journaled while it runs, resumed after a crash, and undone \
            when it was a mistake.

              fleet config check            is fleet.yaml right?
              fleet status                  how is everything?
              fleet backup orders           back up one instance
              fleet window                  to what times can instances be restored?
              fleet restore --cluster prod --target -15m
                                            restore all of prod to a quarter of an hour ago
              fleet runs list               what was done, and what stopped halfway?

            Exit status: 0 done, 1 failed, 2 wrong use or wrong fleet.yaml, 3 refused by a \
            safety rule and nothing changed, 4 not compliant, 5 waiting for approval.
            """,
        version: FleetProgram.version,
        groupedSubcommands: [
            CommandGroup(
                name: "Looking",
                subcommands: [
                    StatusCommand.self, WindowCommand.self, ClustersCommand.self, InstancesCommand.self,
                    ApplicationsCommand.self, DiscoverCommand.self,
                ]),
            CommandGroup(name: "Backing up", subcommands: [BackupCommand.self, BackupsCommand.self, WALCommand.self]),
            CommandGroup(
                name: "Restoring",
                subcommands: [RestoreCommand.self, ApplyCommand.self, RunsCommand.self, DrillCommand.self]),
            CommandGroup(name: "Several at one point", subcommands: [MarkCommand.self, SetCommand.self]),
            CommandGroup(
                name: "Setting up",
                subcommands: [
                    ConfigCommand.self, PluginsCommand.self, AuditCommand.self, AgentCommand.self, DemoCommand.self,
                ]),
        ])

    @OptionGroup var global: GlobalOptions
}
