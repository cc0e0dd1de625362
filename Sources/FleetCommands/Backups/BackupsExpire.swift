import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet backups expire`
struct BackupsExpire: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "expire", abstract: "Remove the backups that retention does not keep, and WAL nobody needs.",
        discussion: """
            As the instance's policy says, or as --keep-full and --keep-window do; with both, whatever keeps more. What \
            is held (fleet backups hold) stays. Shows what goes, and asks.

              fleet backups expire orders --dry-run
              fleet backups expire orders --keep-full 2
              fleet backups expire orders --keep-window 30d
            """)

    @Argument(help: "The instance.") var instance: String
    @Option(help: ArgumentHelp("How many full backups to keep.", valueName: "count")) var keepFull: Int?
    @Option(help: ArgumentHelp("How many differential backups to keep.", valueName: "count")) var keepDiff: Int?
    @Option(help: ArgumentHelp("How far back every moment stays restorable.", valueName: "duration"))
    var keepWindow: SpanArgument?
    @Option(help: ArgumentHelp("The repository; else the instance's first.", valueName: "name")) var repository: String?
    @Flag(help: "Show what would go and remove nothing.") var dryRun = false
    @Flag(name: .shortAndLong, help: "Do not ask.") var yes = false
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let keepFull, keepFull < 1 { throw ValidationError("--keep-full must be 1 or more") }
        if let keepDiff, keepDiff < 0 { throw ValidationError("--keep-diff must be 0 or more") }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        if dryRun || !yes {
            let preview = RepositoryReport(try await expire(coordinator, session, isDryRun: true), verb: "expired")
            if dryRun {
                try session.console.show(preview)
                return .done
            }
            session.console.present(preview)
            guard preview.report["removed"]?.array?.isEmpty != true else { return .done }
            try await Agreement.ask(
                "Type yes to remove them: ", refusal: "nothing was removed", session.console)
        }
        let work = try await expire(coordinator, session, isDryRun: false)
        try session.console.show(RepositoryReport(work, verb: "expired"))
        return work.failure == nil ? .done : .failed
    }

    private func expire(
        _ coordinator: Coordinator, _ session: Session, isDryRun: Bool
    ) async throws -> RepositoryWork {
        let printer = RunPrinter(session.console)
        do {
            let work = try await coordinator.expireBackups(
                of: instance, keeping: Retention(full: keepFull, diff: keepDiff, window: keepWindow?.duration),
                repository: repository, isDryRun: isDryRun, observer: printer)
            await printer.end()
            return work
        } catch {
            await printer.end()
            throw error
        }
    }
}
