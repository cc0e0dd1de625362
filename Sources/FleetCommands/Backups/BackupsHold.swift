import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet backups hold`
struct BackupsHold: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keep a backup whatever retention says.",
        discussion: """
            Once retention no longer keeps it, a held backup can be restored to its own end and no further: the WAL \
            after it goes.

              fleet backups hold orders LABEL --reason "audit of 2025"
              fleet backups hold orders LABEL --reason migration --for 90d
            """)

    @Argument(help: "The instance.") var instance: String
    @Argument(help: "The backup's label.") var label: String
    @Option(help: ArgumentHelp("Why, for whoever finds it later.", valueName: "text")) var reason: String
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long; until it is released when left out.", valueName: "duration"))
    var span: SpanArgument?
    @Option(help: ArgumentHelp("The repository; else the one that has it.", valueName: "name")) var repository: String?
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard reason.contains(where: { !$0.isWhitespace }) else { throw ValidationError("--reason must say something") }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let backup = try await coordinator.holdBackup(
            label, of: instance, in: repository, reason: reason, until: span.map { coordinator.now + $0.duration })
        try session.console.show(BackupPage(backup: BackupView(backup, of: instance), observedAt: coordinator.now))
        return .done
    }
}

/// `fleet backups release`
struct BackupsRelease: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Let a held backup go: the next expiry removes it if retention does not keep it.")

    @Argument(help: "The instance.") var instance: String
    @Argument(help: "The backup's label.") var label: String
    @Option(help: ArgumentHelp("The repository; else the one that has it.", valueName: "name")) var repository: String?
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let backup = try await coordinator.releaseBackup(label, of: instance, in: repository)
        try session.console.show(BackupPage(backup: BackupView(backup, of: instance), observedAt: coordinator.now))
        return .done
    }
}
