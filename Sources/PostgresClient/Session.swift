import FleetPluginAPI
import Glibc

/// One connection without isolation of its own: it belongs to the actor that holds it, and its asynchronous functions
/// run there. Between two suspensions nothing blocks.
///
/// A call that cannot go on (deadline, cancellation, lost connection) closes the connection: what the server would
/// still send to it belongs to nobody.
final class Session {
    typealias Deadline = ContinuousClock.Instant

    let parameters: ConnectionParameters
    private var handle: LibPQHandle?
    /// A call is in progress; a second one at the same time is refused.
    private var isBusy = false
    /// Somebody closed the connection while a call was in progress, which drops it when it notices.
    private var isClosing = false

    init(_ parameters: ConnectionParameters, _ handle: LibPQHandle) {
        self.parameters = parameters
        self.handle = handle
    }

    var place: String { parameters.place }
    var isOpen: Bool { handle != nil && !isClosing }

    /// Closes from within the call in progress, or when there is none.
    func close() {
        handle = nil
    }

    /// Closes from outside: a call in progress wakes up and ends as `unavailable`.
    func closeFromOutside() {
        guard isBusy, let handle else { return close() }
        isClosing = true
        shutdown(handle.socket, Int32(SHUT_RDWR))
    }

    /// The open connection.
    func open() throws -> LibPQHandle {
        guard let handle, !isClosing else { throw FleetError(.unavailable, "the connection to \(place) is closed") }
        return handle
    }

    /// Runs one call; whatever it throws is a `FleetError`.
    func exclusively<Result>(_ activity: String, _ body: () async throws -> Result) async throws -> Result {
        _ = try open()
        guard !isBusy else {
            throw FleetError(.conflict, "\(activity): the connection to \(place) is busy with another call")
        }
        isBusy = true
        defer {
            isBusy = false
            if isClosing { close() }
        }
        return try await body()
    }

    /// Waits until the socket is ready; gives the connection up when the deadline passes first.
    func wait(writing: Bool, until deadline: Deadline, _ activity: String) async throws {
        let socket = try open().socket
        let outcome = await SocketPoller.shared.wait(for: socket, reading: true, writing: writing, until: deadline)
        switch outcome {
        case .ready: return
        case .timedOut: throw giveUp(.timedOut, activity)
        case .cancelled: throw giveUp(.cancelled, activity)
        }
    }

    /// Notices deadline and cancellation in a stretch that never has to wait.
    func check(_ deadline: Deadline, _ activity: String) throws {
        if Task.isCancelled { throw giveUp(.cancelled, activity) }
        if ContinuousClock.now > deadline { throw giveUp(.timedOut, activity) }
    }

    /// Cancels what the server does for this connection and closes it.
    private func giveUp(_ code: FleetError.Code, _ activity: String) -> FleetError {
        if let handle { CancelRequests.send(for: handle, at: place) }
        close()
        let cause = code == .timedOut ? "no answer from \(place) within the time allowed" : "cancelled"
        return FleetError(code, activity, cause: cause)
    }

    func fleetError(_ error: PostgresError, _ activity: String, quotesParameters: Bool = false) -> FleetError {
        var fleet = error.fleetError(activity, quotesParameters: quotesParameters)
        if error.sqlState == "57014", parameters.settings["statement_timeout"] != nil {
            fleet.code = .timedOut
            fleet.isRetriable = true
        }
        return fleet
    }
}
