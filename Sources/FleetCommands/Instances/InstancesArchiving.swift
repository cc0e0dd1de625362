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

            In Kubernetes the server can call fleet only when its pod template brings fleet along. --patch prints what \
            the template lacks, as a patch for kustomize or kubectl:

              fleet instances archiving orders --patch > fleet-agent.yaml
            """)

    @Argument(help: "The instance.") var instance: String
    @Flag(help: "Print what the declaration of the server's workload needs, and nothing else.") var patch = false
    @OptionGroup var global: GlobalOptions

    func answer(_ session: Session) async throws -> ArchivingSettings {
        let coordinator = try await session.coordinator()
        let declared = try coordinator.inventory.instance(instance)
        let integration = try await coordinator.inventory.integration(of: declared)
        if patch, integration == nil {
            throw FleetError(
                .unsupported, "nothing needs to be added to the declaration of \(instance)",
                hint: "leave --patch out: the settings of its server are all there is")
        }
        let commands = try await coordinator.inventory.archiveCommands(of: declared)
        return ArchivingSettings(
            instance: instance, commands, slot: try coordinator.inventory.walSlot(of: declared),
            integration: integration?.patch, printsPatch: patch)
    }
}

/// Settings for PostgreSQL, in JSON and as lines for postgresql.conf.
struct ArchivingSettings: Displayable {
    var instance: String
    var walLevel: String
    /// These three are absent where WAL is received.
    var archiveMode: String?
    var archiveCommand: String?
    /// Seconds.
    var archiveTimeout: Int?
    /// The replication slot through which WAL is received; absent where the server archives it.
    var slot: String?
    /// What a restore writes; for reference.
    var restoreCommand: String
    /// What the declaration of the server's workload needs in addition; null where nothing is.
    var patch: String?
    private var printsPatch = false

    private enum CodingKeys: String, CodingKey {
        case instance, walLevel, archiveMode, archiveCommand, archiveTimeout, slot, restoreCommand, patch
    }

    init(
        instance: String, _ commands: ArchiveCommands, slot: String? = nil, integration: String? = nil,
        printsPatch: Bool = false
    ) {
        self.instance = instance
        walLevel = "replica"
        if slot == nil {
            archiveMode = "on"
            archiveCommand = commands.archive
            archiveTimeout = 60
        }
        self.slot = slot
        restoreCommand = commands.restore
        patch = integration
        self.printsPatch = printsPatch
    }

    func lines(_ page: Page) -> [StyledText] {
        if printsPatch {
            return (patch ?? "").split(separator: "\n", omittingEmptySubsequences: false).map { StyledText(String($0)) }
        }
        guard let archiveMode, let archiveCommand, let archiveTimeout else { return receivingLines }
        return [
            StyledText("# WAL archiving of \(instance), by fleet", .faint),
            StyledText("wal_level = \(walLevel)"),
            StyledText("archive_mode = \(archiveMode)                  ")
                + StyledText("# needs a restart when it was off", .faint),
            StyledText("archive_command = \(Self.quoted(archiveCommand))"),
            StyledText("archive_timeout = \(archiveTimeout)               ")
                + StyledText("# seconds: at most this much is lost with the machine", .faint),
        ]
    }

    private var receivingLines: [StyledText] {
        [
            StyledText(
                "# WAL of \(instance) is received through the replication slot \(slot ?? ""), by a service:", .faint),
            StyledText("#   fleet wal receive \(instance)", .faint),
            StyledText("wal_level = \(walLevel)"),
            StyledText("max_slot_wal_keep_size = '16GB'   ")
                + StyledText("# what the server keeps at most while the receiver is away", .faint),
        ]
    }

    /// As a value in postgresql.conf.
    static func quoted(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}
