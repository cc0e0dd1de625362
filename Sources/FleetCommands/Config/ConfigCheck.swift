import ArgumentParser
import FleetConfig
import FleetPluginAPI
import TerminalUI

/// `fleet config check`
struct ConfigCheck: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Report every mistake in fleet.yaml, each with its line.",
        discussion: "Reads the file and nothing else: no server is asked. Exit status 2 when there are mistakes.")

    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        do {
            try session.console.show(ConfigReport(try await session.configuration()))
            return .done
        } catch let mistakes as ConfigurationError {
            let report = ConfigReport(mistakes)
            if session.console.format == .table { throw mistakes }
            try session.console.show(report)
            return .usage
        }
    }
}

/// Whether a fleet.yaml is right, and what it declares, in JSON.
struct ConfigReport: Displayable {
    var file: String
    var isValid: Bool
    var diagnostics: [Diagnostic]
    /// Section to how many it declares.
    var declares: [String: Int]

    init(_ configuration: FleetConfiguration) {
        file = configuration.path
        isValid = true
        diagnostics = []
        declares = [
            "clusters": configuration.clusters.count, "repositories": configuration.repositories.count,
            "policies": configuration.policies.count, "instances": configuration.instances.count,
            "applications": configuration.applications.count, "restoreSets": configuration.restoreSets.count,
            "notifiers": configuration.notifiers.count,
        ]
    }

    init(_ mistakes: ConfigurationError) {
        file = mistakes.file
        isValid = false
        diagnostics = mistakes.diagnostics
        declares = [:]
    }

    func lines(_ page: Page) -> [StyledText] {
        let counts = [
            count("clusters", "cluster"), count("repositories", "repository"), count("instances", "instance"),
            count("applications", "application"),
        ]
        return [
            StyledText("ok", .good) + StyledText("  \(file): ") + StyledText(counts.joined(separator: ", "), .faint)
        ]
    }

    private func count(_ section: String, _ one: String) -> String {
        let number = declares[section] ?? 0
        return number == 1 ? "1 \(one)" : "\(number) \(section)"
    }
}
