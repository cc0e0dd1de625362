import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet instances archiving`
struct InstancesArchiving: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "archiving", abstract: "Print what to put into postgresql.conf so that WAL is archived.",
        discussion: """
            Changes nothing. archive_mode needs a restart of the server where it was off; the others take effect with a \
            reload.

              fleet instances archiving orders >> /etc/postgresql/15/main/conf.d/fleet.conf
            """)

    @Argument(help: "The instance.") var instance: String
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> ArchivingSettings {
        let coordinator = try await session.coordinator()
        let declared = try coordinator.inventory.instance(instance)
        let commands = try await coordinator.inventory.archiveCommands(of: declared)
        return ArchivingSettings(instance: instance, commands)
    }
}

/// Settings for PostgreSQL, in JSON and as lines for postgresql.conf.
struct ArchivingSettings: Displayable {
    var instance: String
    var walLevel: String
    var archiveMode: String
    var archiveCommand: String
    /// Seconds.
    var archiveTimeout: Int
    /// What a restore writes; for reference.
    var restoreCommand: String

    init(instance: String, _ commands: ArchiveCommands) {
        self.instance = instance
        walLevel = "replica"
        archiveMode = "on"
        archiveCommand = commands.archive
        archiveTimeout = 60
        restoreCommand = commands.restore
    }

    func lines(_ page: Page) -> [StyledText] {
        [
            StyledText("# WAL archiving of \(instance), by fleet", .faint),
            StyledText("wal_level = \(walLevel)"),
            StyledText("archive_mode = \(archiveMode)                  ")
                + StyledText("# needs a restart when it was off", .faint),
            StyledText("archive_command = \(Self.quoted(archiveCommand))"),
            StyledText("archive_timeout = \(archiveTimeout)               ")
                + StyledText("# seconds: at most this much is lost with the machine", .faint),
        ]
    }

    /// As a value in postgresql.conf.
    static func quoted(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}
