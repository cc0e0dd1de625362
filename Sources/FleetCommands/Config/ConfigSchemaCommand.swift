import ArgumentParser
import FleetConfig
import FleetPluginAPI
import FleetPluginHost
import TerminalUI

/// `fleet config schema`
struct ConfigSchemaCommand: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print a JSON Schema of fleet.yaml, for editors.",
        discussion: """
            It knows the options of every plugin this fleet has.

              fleet config schema > fleet.schema.json
              # and in the first line of fleet.yaml:
              # yaml-language-server: $schema=fleet.schema.json
            """)

    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let schema = ConfigSchema.jsonSchema(descriptors: session.registry.descriptors)
        let isYAML = session.console.format == .yaml
        session.console.output.write(isYAML ? try TextEncoding.yaml(schema) : try TextEncoding.json(schema))
        return .done
    }
}
