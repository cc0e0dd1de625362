import ArgumentParser
import FleetCoordinator
import FleetPluginAPI

/// `fleet backup`
struct BackupCommand: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Back up instances, now.",
        discussion: """
            A backup is listed when it is whole and durable, and not before.

              fleet backup orders
              fleet backup --cluster prod
              fleet backup orders --type full --repository offsite
            """)

    @Argument(help: ArgumentHelp("Instances.", valueName: "instance")) var instances: [String] = []
    @Flag(help: "Every instance of fleet.yaml.") var all = false
    @Option(help: ArgumentHelp("Every instance of this cluster; may be repeated.", valueName: "name"))
    var cluster: [String] = []
    @Option(help: "What kind of backup.") var type: BackupRecord.Kind = .full
    @Option(help: ArgumentHelp("The repository to write to; else the first of each instance.", valueName: "name"))
    var repository: String?
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if instances.isEmpty, cluster.isEmpty, !all {
            throw ValidationError("say what to back up: instances by name, --cluster NAME or --all")
        }
        if all, !instances.isEmpty || !cluster.isEmpty {
            throw ValidationError("--all leaves nothing to choose: leave out the others")
        }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        let names = try InstanceChoice.names(instances, clusters: cluster, in: coordinator.inventory)
        guard !names.isEmpty else { throw FleetError(.usage, "fleet.yaml declares no instances here") }
        let plan = try await coordinator.planBackup(names, kind: type, repository: repository)
        return try await RunFlow(session: session, coordinator: coordinator).carryOut(plan)
    }
}
