import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet audit verify`
struct AuditVerify: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check that no audit entry was changed or removed.",
        discussion: "Each entry's hash covers the one before it. Exit status 1 when the chain is broken.")

    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let broken = try await session.coordinator().store.verifyAudit()
        try session.console.show(AuditVerdict(isWhole: broken == nil, firstBroken: broken))
        return broken == nil ? .done : .failed
    }
}

/// Whether the audit is whole, in JSON.
struct AuditVerdict: Displayable {
    var isWhole: Bool
    /// The first entry that is missing or does not fit.
    var firstBroken: Int64?

    func lines(_ page: Page) -> [StyledText] {
        guard let firstBroken else { return [StyledText("ok", .good) + "  the audit is whole"] }
        return [StyledText("broken", .bad) + "  entry \(firstBroken) is missing or was changed"]
    }
}
