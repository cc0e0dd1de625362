import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet backups list`
struct BackupsList: FleetQuestion {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List backups, the oldest of each instance first.")

    @Argument(help: ArgumentHelp("Only these instances.", valueName: "instance")) var instances: [String] = []
    @Option(help: ArgumentHelp("Only this cluster; may be repeated.", valueName: "name")) var cluster: [String] = []
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> BackupList {
        let coordinator = try await session.coordinator()
        let names = try InstanceChoice.names(instances, clusters: cluster, in: coordinator.inventory)
        return BackupList(await coordinator.windows(of: names), now: coordinator.now)
    }
}

/// Backups in JSON.
struct BackupList: Displayable {
    var observedAt: Timestamp
    var backups: [BackupView]
    var problems: [RepositoryProblem]

    init(_ found: [InstanceWindows], now: Timestamp) {
        observedAt = now
        backups = found.flatMap { instance in instance.backups.map { BackupView($0, of: instance.instance) } }
        problems = found.flatMap(RepositoryProblem.all)
    }

    private func remark(on backup: BackupView) -> StyledText {
        if backup.problem != nil { return StyledText("damaged", .bad) }
        return StyledText(backup.hold?.isInForce(at: observedAt) == true ? "held" : "", .caution)
    }

    func lines(_ page: Page) -> [StyledText] {
        var table = Table([
            .init("INSTANCE", shrinksTo: 12), .init("BACKUP"), .init("KIND"), .init("AGE", .right), .init("TL", .right),
            .init("SIZE", .right), .init("STORED", .right), .init("REPOSITORY", shrinksTo: 10), .init(""),
        ])
        for backup in backups {
            table.add([
                StyledText(backup.instance, .accent),
                StyledText(backup.label, backup.problem == nil ? .plain : .bad), StyledText(backup.kind),
                StyledText(Ages.rough(observedAt - backup.stopTime)), StyledText("\(backup.timeline)"),
                StyledText(ByteSize.text(backup.size)), StyledText(ByteSize.text(backup.storedSize)),
                StyledText(backup.repository),
                remark(on: backup),
            ])
        }
        let lines = backups.isEmpty ? ["there are no backups"] : table.lines(width: page.width)
        return lines + ProblemLines.lines(problems.map { ($0.instance, $0.error) }, page)
    }
}

/// What is wrong with what a repository holds, in JSON.
struct RepositoryProblem: Hashable, Codable, Sendable {
    var instance: String
    /// The object, backup or segment concerned; absent when nothing could be read.
    var subject: String?
    var error: FleetError

    static func all(_ found: InstanceWindows) -> [RepositoryProblem] {
        let problems = found.problems.map {
            RepositoryProblem(instance: found.instance, subject: $0.subject, error: $0.error)
        }
        return problems + (found.error.map { [RepositoryProblem(instance: found.instance, error: $0)] } ?? [])
    }
}
