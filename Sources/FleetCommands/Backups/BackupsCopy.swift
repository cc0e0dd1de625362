import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet backups copy`
struct BackupsCopy: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Bring backups, and the WAL after them, to another repository.",
        discussion: """
            What is there already is left alone, so that an interrupted copy goes on. All bytes are checked on their \
            way; the two repositories may be encrypted differently.

              fleet backups copy orders --from local --to offsite
              fleet backups copy orders --from local --to offsite LABEL
            """)

    @Argument(help: "The instance.") var instance: String
    @Argument(help: ArgumentHelp("Backups; all when left out.", valueName: "label")) var labels: [String] = []
    @Option(name: .customLong("from"), help: ArgumentHelp("The repository to read.", valueName: "name"))
    var source: String
    @Option(name: .customLong("to"), help: ArgumentHelp("The repository to write.", valueName: "name"))
    var destination: String
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        return try await RepositoryReport.show("copied", session) { [instance, labels, source, destination] printer in
            try await coordinator.copyBackups(
                labels, of: instance, from: source, to: destination, observer: printer)
        }
    }
}

/// `fleet backups repair`
struct BackupsRepair: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Mend what is damaged from other repositories, and say what is lost.",
        discussion: """
            Reads everything. What another repository of the instance has whole is taken from there. A backup that stays \
            damaged is marked and no longer restored or built upon; damaged WAL is set aside. Exit status 1 when \
            something is lost.

              fleet backups repair orders --dry-run
              fleet backups repair orders --repository local
            """)

    @Argument(help: "The instance.") var instance: String
    @Option(help: ArgumentHelp("The repository; else the instance's first.", valueName: "name")) var repository: String?
    @Flag(help: "Say what would be done and write nothing.") var dryRun = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        return try await RepositoryReport.show("repaired", session) { [instance, repository, dryRun] printer in
            try await coordinator.repairBackups(
                of: instance, repository: repository, isDryRun: dryRun, observer: printer)
        }
    }
}
