internal import CLibPQ
import FleetPluginAPI
import Glibc
import Synchronization

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

    private init(_ parameters: ConnectionParameters, _ handle: LibPQHandle) {
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

extension Session {
    static func connect(
        _ parameters: ConnectionParameters, replication: Bool, deadline: Deadline
    ) async throws -> Session {
        let activity = "cannot connect to \(parameters.place) as \(parameters.user), database \(parameters.database)"
        let texts = [
            parameters.host, parameters.user, parameters.database, parameters.applicationName,
            parameters.sslMode ?? "",
        ]
        guard !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw FleetError(.usage, activity, cause: "a parameter contains a zero byte")
        }
        if Task.isCancelled { throw FleetError(.cancelled, activity, cause: "cancelled") }
        let handle = try await start(parameters, replication: replication, deadline: deadline, activity)
        let session = Session(parameters, handle)
        do {
            try await session.poll(handle, until: deadline, activity)
        } catch {
            session.close()
            throw error
        }
        return session
    }

    /// Begins to connect: here, or, where a name must be looked up, on a thread of its own.
    private static func start(
        _ parameters: ConnectionParameters, replication: Bool, deadline: Deadline, _ activity: String
    ) async throws -> LibPQHandle {
        let exhausted = FleetError(.exhausted, activity, cause: "out of memory")
        guard parameters.needsNameResolution else {
            guard let handle = LibPQHandle(starting: parameters, replication: replication) else { throw exhausted }
            return handle
        }
        let started = EventCell<LibPQHandle>()
        Thread.detach { started.set(LibPQHandle(starting: parameters, replication: replication)) }
        let outcome = await SocketPoller.shared.wait(
            for: started.descriptor, reading: true, writing: false, until: deadline)
        switch outcome {
        case .ready:
            guard let handle = started.take() else { throw exhausted }
            return handle
        case .timedOut:
            throw FleetError(.timedOut, activity, cause: "the name \(parameters.host) was not resolved in time")
        case .cancelled:
            throw FleetError(.cancelled, activity, cause: "cancelled")
        }
    }

    private func poll(_ handle: LibPQHandle, until deadline: Deadline, _ activity: String) async throws {
        var writing = true
        while !handle.isBad {
            let outcome = await SocketPoller.shared.wait(
                for: handle.socket, reading: !writing, writing: writing, until: deadline)
            switch outcome {
            case .ready: break
            case .timedOut:
                throw FleetError(.timedOut, activity, cause: "no answer within the time allowed")
            case .cancelled:
                throw FleetError(.cancelled, activity, cause: "cancelled")
            }
            switch unsafe PQconnectPoll(handle.pointer) {
            case PGRES_POLLING_OK:
                unsafe PQsetErrorVerbosity(handle.pointer, PQERRORS_DEFAULT)
                guard unsafe PQsetnonblocking(handle.pointer, 1) == 0 else {
                    throw FleetError(.unavailable, activity, cause: handle.errorMessage)
                }
                return
            case PGRES_POLLING_READING: writing = false
            case PGRES_POLLING_WRITING: writing = true
            default: throw connectError(handle, activity)
            }
        }
        throw connectError(handle, activity)
    }

    private func connectError(_ handle: LibPQHandle, _ activity: String) -> FleetError {
        var error = fleetError(PostgresError(connecting: handle.errorMessage), activity)
        if unsafe PQconnectionNeedsPassword(handle.pointer) == 1 {
            error.code = .denied
            error.isRetriable = false
            error.hint = error.hint ?? "give a password by reference"
        }
        return error
    }
}

/// A value that another thread provides, with a descriptor that becomes readable when it is there.
private final class EventCell<Value: Sendable>: Sendable {
    let descriptor = eventfd(0, Int32(EFD_CLOEXEC))
    private let value = Mutex<Value?>(nil)

    func set(_ newValue: Value?) {
        value.withLock { $0 = newValue }
        _ = eventfd_write(descriptor, 1)
    }

    func take() -> Value? { value.withLock { $0.take() } }

    deinit {
        _ = Glibc.close(descriptor)
    }
}
