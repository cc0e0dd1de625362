import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet runs approve`
struct RunsApprove: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Approve, or reject, the next stage of a run.",
        discussion: """
            Who, when and why is kept with the run and in the audit, bound to the hash of its plan. A process that waits \
            for it goes on at once; one that was stopped finds it when it is resumed. An approval that has grown older \
            than approvalExpires of its stage by then does not count.

              fleet runs approve r-20251218-1030 --reason "dev is well, CHG-4711"
              fleet runs approve r-20251218-1030 --reject --reason "row counts of dev are off"
            """)

    @Argument(help: "The run.") var run: String
    @Option(help: ArgumentHelp("The stage; the next one that waits without it.", valueName: "name")) var stage: String?
    @Option(help: ArgumentHelp("Why, for the record.", valueName: "text")) var reason: String
    @Option(help: ArgumentHelp("The plan that was looked at; another one is refused.", valueName: "hash"))
    var plan: String?
    @Flag(help: "Reject it: the run stops there.") var reject = false
    @Flag(help: "Go on with the run here, where nobody carries it out.") var resume = false
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something") }
        guard !(reject && resume) else { throw ValidationError("--resume goes on with what was approved") }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        try await coordinator.markAbandoned()
        let approval = try await coordinator.decide(
            on: run, stage: stage, approves: !reject, reason: reason, plan: plan)
        let record = try await coordinator.requireRun(run)
        let carrier = try await coordinator.carrier(of: record)
        if resume, carrier == nil {
            return try await RunFlow(session: session, coordinator: coordinator).goOn(record.id)
        }
        try session.console.show(
            ApprovalReport(run: record.id, approval: ApprovalView(approval), carriedOutBy: carrier))
        return .done
    }
}

/// A decision that was written down, in JSON.
struct ApprovalReport: Displayable {
    var run: String
    var approval: ApprovalView
    /// The living process that sees it at once; absent when the run has to be resumed.
    var carriedOutBy: String?

    func lines(_ page: Page) -> [StyledText] {
        let word = approval.isApproved ? StyledText("approved", .good) : StyledText("rejected", .bad)
        let next =
            if let carriedOutBy {
                StyledText("  \(carriedOutBy) goes on from there", .faint)
            } else {
                StyledText("  \(approval.isApproved ? "go on" : "turn back"): ", .faint)
                    + StyledText("fleet runs \(approval.isApproved ? "resume" : "abort") \(run)", .accent)
            }
        return [word + StyledText("  stage \(approval.stage) of run \(run), by \(approval.by)"), next]
    }
}

/// A person's decision on a stage, in JSON.
struct ApprovalView: Hashable, Sendable, Codable {
    var stage: String
    var isApproved: Bool
    var by: String
    var at: Timestamp
    var reason: String
    var planHash: String

    init(_ approval: Approval) {
        stage = approval.stage
        isApproved = approval.isApproved
        by = approval.by
        at = approval.at
        reason = approval.reason
        planHash = approval.planHash
    }
}
