import ArgumentParser
import FleetConfig
import FleetPluginAPI
import TerminalUI

/// `fleet config extract`
struct ConfigExtract: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "extract", abstract: "Print the part of fleet.yaml that concerns one instance.",
        discussion: """
            For a host that runs one instance and need not know the others. Paths are absolute; secrets stay references.

              fleet config extract --instance orders > /etc/fleet/fleet.yaml
            """)

    @Option(help: "The instance.") var instance: String
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        session.console.output.write(try await session.configuration().extract(instance: instance))
        return .done
    }
}
