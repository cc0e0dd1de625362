internal import CLibPQ
import FleetPluginAPI
import Glibc
import Synchronization

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
                throw FleetError(
                    .timedOut, activity, cause: "no answer within the time allowed",
                    hint:
                        "the server hangs, or something between swallows what is sent: look at its processes and its log"
                )
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
        } else if error.hint == nil {
            error.hint = connectHint(error.code)
        }
        return error
    }
}

/// What to do about a connection that did not come about.
private func connectHint(_ code: FleetError.Code) -> String? {
    switch code {
    case .denied: "the server turned this user away: check the user, its password, and pg_hba.conf"
    case .unavailable: "check that the server runs and listens there"
    default: nil
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
