import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet wal`
struct WALCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wal", abstract: "Bring WAL into the archive without an archive_command.",
        subcommands: [WALReceive.self])
}

/// `fleet wal receive`
struct WALReceive: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "receive", abstract: "Receive WAL over the replication protocol, until it is ended.",
        discussion: """
            For instances whose engine has wal: stream. Runs as a service, one at a time for an instance; the server \
            keeps WAL by a replication slot while it does not run. Waits for a server that is down or in recovery, and \
            goes on on its next timeline by itself.

              fleet wal receive orders
              fleet wal receive orders billing
            """)

    @Argument(help: ArgumentHelp("The instances.", valueName: "instance")) var instances: [String]
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if instances.isEmpty { throw ValidationError("say which instances") }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        for name in instances { _ = try coordinator.inventory.instance(name) }
        let console = session.console
        do {
            try await Signals.stoppable(onFirst: {}) { [instances] in
                try await coordinator.receiveWAL(of: instances) { name, line in
                    console.say(StyledText(instances.count == 1 ? line : "\(name): \(line)"))
                }
            }
        } catch let error as FleetError where error.code == .cancelled {
            return .done
        }
        return .done
    }
}
