internal import CLibPQ
import FleetPluginAPI

extension Session {
    /// Sends what libpq has queued.
    func flush(until deadline: Deadline, _ activity: String) async throws {
        while true {
            let handle = try open()
            switch unsafe PQflush(handle.pointer) {
            case 0: return
            case 1: break
            default: throw lost(handle, activity)
            }
            try await wait(writing: true, until: deadline, activity)
            // A server that is stuck until we read must not be waited for with full buffers on both sides.
            guard unsafe PQconsumeInput(handle.pointer) == 1 else { throw lost(handle, activity) }
        }
    }

    /// The next result; nil at the end of the command. Errors come as results.
    func nextResult(until deadline: Deadline, _ activity: String) async throws -> LibPQResult? {
        let handle = try open()
        while unsafe PQisBusy(handle.pointer) == 1 {
            try check(deadline, activity)
            guard unsafe PQconsumeInput(handle.pointer) == 1 else { throw lost(handle, activity) }
            guard unsafe PQisBusy(handle.pointer) == 1 else { break }
            try await wait(writing: unsafe PQflush(handle.pointer) == 1, until: deadline, activity)
        }
        guard let result = unsafe PQgetResult(handle.pointer) else { return nil }
        return unsafe LibPQResult(result)
    }

    /// The next result, which must be there and have this status; reads the command to its end when it is an error.
    func expect(
        _ status: ExecStatusType, until deadline: Deadline, _ activity: String
    ) async throws -> LibPQResult {
        guard let result = try await nextResult(until: deadline, activity) else {
            throw FleetError(.protocolViolation, activity, cause: "the server ended the command too early")
        }
        if result.status == status { return result }
        guard result.status == PGRES_FATAL_ERROR else {
            close()
            throw FleetError(.protocolViolation, activity, cause: "unexpected answer \(result.status.rawValue)")
        }
        throw try await failure(result, until: deadline, activity)
    }

    /// The error in a result, after the rest of the command was read so that the connection is usable again.
    func failure(
        _ result: LibPQResult, until deadline: Deadline, _ activity: String, quotesParameters: Bool = false
    ) async throws -> FleetError {
        let error = fleetError(PostgresError(result), activity, quotesParameters: quotesParameters)
        // The first error says why; a connection that breaks on the way to the end adds nothing.
        do {
            while try await nextResult(until: deadline, activity) != nil {}
        } catch {}
        if let handle = try? open(), handle.isBad { close() }
        return error
    }

    /// The connection is gone: what the server said last, if it said anything, else what libpq says.
    func lost(_ handle: LibPQHandle, _ activity: String) -> FleetError {
        defer { close() }
        var error = PostgresError(connecting: handle.errorMessage)
        // Nothing more can arrive, so these do not block.
        while unsafe PQisBusy(handle.pointer) == 0, let next = unsafe PQgetResult(handle.pointer) {
            let result = unsafe LibPQResult(next)
            guard result.status == PGRES_FATAL_ERROR else { break }
            let said = PostgresError(result)
            if said.sqlState != nil {
                error = said
                break
            }
        }
        if error.sqlState == nil {
            return FleetError(.unavailable, activity, cause: "connection lost: \(error.message)")
        }
        return fleetError(error, activity)
    }
}

extension Session {
    /// Runs a statement with parameters (extended protocol), or any number without (simple protocol).
    func execute(
        _ sql: String, _ parameters: [String?]?, deadline: Deadline, _ activity: String
    ) async throws -> [PostgresResult] {
        try await exclusively(activity) {
            try send(sql, parameters, activity)
            try await flush(until: deadline, activity)
            var results: [PostgresResult] = []
            while let result = try await nextResult(until: deadline, activity) {
                switch result.status {
                case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
                    results.append(PostgresResult(result))
                case PGRES_EMPTY_QUERY:
                    continue
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    close()
                    throw FleetError(.unsupported, activity, cause: "COPY between server and client is not supported")
                default:
                    throw try await failure(
                        result, until: deadline, activity, quotesParameters: parameters?.isEmpty == false)
                }
            }
            return results
        }
    }

    private func send(_ sql: String, _ parameters: [String?]?, _ activity: String) throws {
        let handle = try open()
        // C strings end at a zero byte: what follows would be cut off in silence.
        guard !sql.utf8.contains(0), parameters?.contains(where: { $0?.utf8.contains(0) == true }) != true else {
            throw FleetError(.usage, activity, cause: "the statement or a parameter contains a zero byte")
        }
        let sent: Int32
        if let parameters {
            sent = unsafe LibPQHandle.withCStrings(parameters) { values in
                unsafe PQsendQueryParams(handle.pointer, sql, Int32(values.count), nil, values, nil, nil, 0)
            }
        } else {
            sent = unsafe PQsendQuery(handle.pointer, sql)
        }
        guard sent == 1 else { throw lost(handle, activity) }
    }
}
