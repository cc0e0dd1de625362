import ArgumentParser

/// `fleet backups`
struct BackupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backups", abstract: "What the repositories hold, and whether it is sound.",
        subcommands: [
            BackupsList.self, BackupsShow.self, BackupsVerify.self, BackupsExpire.self, BackupsHold.self,
            BackupsRelease.self, BackupsCopy.self, BackupsRepair.self,
        ],
        defaultSubcommand: BackupsList.self)
}
