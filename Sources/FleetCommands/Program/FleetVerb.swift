import ArgumentParser
import FleetPluginAPI

/// A command: its flags, and what it does with them.
protocol FleetVerb: ParsableCommand {
    var global: GlobalOptions { get }

    /// Does it. Errors are reported by whoever called it.
    func run(_ session: Session) async throws -> ExitStatus
}

/// A command that asks something and shows the answer.
protocol FleetQuestion: FleetVerb {
    associatedtype Answer: Displayable

    func answer(_ session: Session) async throws -> Answer
}

extension FleetQuestion {
    func run(_ session: Session) async throws -> ExitStatus {
        try session.console.show(try await answer(session))
        return .done
    }
}
