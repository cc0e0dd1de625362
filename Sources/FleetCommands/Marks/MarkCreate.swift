import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// `fleet mark create`
struct MarkCreate: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a restore point of one name on every member of a set.",
        discussion: """
            A fenced mark holds the writers of every member for some milliseconds: all members then show one moment, \
            and nothing is there without what it followed from. An ordered mark blocks nobody and is right where what \
            follows is written to one member only after its cause was written to the other. A loose mark is made at \
            about the same time everywhere, and says nothing about what belongs together.

              fleet mark create --set shop
              fleet mark create --set shop --ordered
              fleet mark create --set shop --every 5m      as a service

            Exit status 1 when there is no mark, or when it did not come into every archive.
            """)

    @Option(help: ArgumentHelp("The restore set.", valueName: "name")) var set: String
    @Flag(help: "What to make; fenced where the set has a fence, else ordered.") var kind: MarkRecord.Kind?
    @Option(
        help: ArgumentHelp(
            "Go on making marks, one at each multiple of this time in UTC, until ended. What fails is said, and the next "
                + "one is made all the same.", valueName: "duration"))
    var every: SpanArgument?
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let every, every.duration < .seconds(1) { throw ValidationError("--every is a second at least") }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        guard let every else { return try await make(session, coordinator) }
        // What never can be is said at once.
        _ = try coordinator.preferredMark(of: set)
        do {
            try await Signals.stoppable(onFirst: {}) {
                while true { try await makeNext(session, coordinator, every.duration.microseconds) }
            }
        } catch is CancellationError {
            // Ended, as services are.
        } catch let error as FleetError where error.code == .cancelled {
            // Within the making of a mark.
        }
        return .done
    }

    /// Waits for the next multiple of a period, and makes one.
    private func makeNext(_ session: Session, _ coordinator: Coordinator, _ period: Int64) async throws {
        try await Task.sleep(for: .microseconds(period - coordinator.now.microseconds % period))
        do {
            _ = try await make(session, coordinator)
        } catch {
            try Task.checkCancellation()
            session.console.warn("\(FleetError(error, "no mark"))")
        }
    }

    private func make(_ session: Session, _ coordinator: Coordinator) async throws -> ExitStatus {
        let mark = try await coordinator.createMark(
            set: set, kind: kind ?? coordinator.preferredMark(of: set)
        ) { session.console.detail($0) }
        let view = MarkView(mark)
        try session.console.show(MarkPage(mark: view, observedAt: coordinator.now))
        guard mark.state == .archived else {
            if let error = mark.error { throw error }
            throw FleetError(.failed, "\(mark.name) is not in every archive")
        }
        return .done
    }
}
