internal import CLibPQ
import FleetPluginAPI
import Glibc

/// The one owner of a `PGconn`; finishes it when it goes.
///
/// `@unchecked Sendable`: libpq allows one thread at a time, and the `Session` that holds the handle is confined to its
/// actor. Before the session has it, only the thread that makes it does.
@safe final class LibPQHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let notices: NoticeLog

    /// Begins to connect. May block while a host name is looked up.
    init?(starting parameters: ConnectionParameters, replication: Bool) {
        let keywords = parameters.keywords(replication: replication)
        let started = unsafe PeerIdentity.connecting(parameters) {
            unsafe Self.withCStrings(keywords.map(\.0)) { names in
                unsafe Self.withCStrings(keywords.map(\.1)) { values in
                    guard let password = parameters.password else {
                        return unsafe PQconnectStartParams(names + [nil], values + [nil], 0)
                    }
                    return unsafe password.reveal { text in
                        unsafe text.withCString { text in
                            unsafe "password".withCString { name in
                                unsafe PQconnectStartParams(names + [name, nil], values + [text, nil], 0)
                            }
                        }
                    }
                }
            }
        }
        guard let started = unsafe started else { return nil }
        unsafe pointer = started
        notices = NoticeLog()
        // Errors while connecting come as text only; in this form the text holds the SQLSTATE.
        unsafe PQsetErrorVerbosity(started, PQERRORS_VERBOSE)
        // The log lives as long as the handle, and the handle finishes the connection before it goes.
        unsafe PQsetNoticeReceiver(
            started,
            { log, result in
                guard let log = unsafe log, let result = unsafe result else { return }
                unsafe Unmanaged<NoticeLog>.fromOpaque(log).takeUnretainedValue().add(PostgresNotice(result))
            }, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        unsafe PQfinish(pointer)
    }

    var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }
    var socket: Int32 { unsafe PQsocket(pointer) }
    var errorMessage: String { unsafe String(cString: PQerrorMessage(pointer)) }

    /// Lends C copies of the strings for the duration of `body`; they are wiped afterwards.
    static func withCStrings<Result>(
        _ strings: [String?], _ body: ([UnsafePointer<CChar>?]) throws -> Result
    ) rethrows -> Result {
        let copies = unsafe strings.map { unsafe $0.flatMap { unsafe strdup($0) } }
        defer {
            unsafe copies.forEach { copy in
                guard let copy = unsafe copy else { return }
                unsafe explicit_bzero(copy, strlen(copy))
                unsafe free(copy)
            }
        }
        return try unsafe body(copies.map { unsafe UnsafePointer($0) })
    }
}

/// The one owner of a `PGresult`; not `Sendable`, used where it was fetched.
@safe final class LibPQResult {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe PQclear(pointer)
    }

    var status: ExecStatusType { unsafe PQresultStatus(pointer) }
    var rowCount: Int32 { unsafe PQntuples(pointer) }
    var columnCount: Int32 { unsafe PQnfields(pointer) }

    /// The value as text; nil for NULL and for what is outside the result.
    func text(_ row: Int32, _ column: Int32) -> String? {
        unsafe bytes(row, column) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    func bytes<Value>(_ row: Int32, _ column: Int32, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
        guard row < rowCount, column < columnCount, unsafe PQgetisnull(pointer, row, column) == 0,
            let start = unsafe PQgetvalue(pointer, row, column)
        else { return nil }
        return unsafe body(UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(pointer, row, column))))
    }

    func columnName(_ column: Int32) -> String {
        unsafe PQfname(pointer, column).map { unsafe String(cString: $0) } ?? ""
    }

    func field(_ code: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(pointer, Int32(code.value)).map { unsafe String(cString: $0) }
    }

    var commandTag: String {
        unsafe PQcmdStatus(pointer).map { unsafe String(cString: $0) } ?? ""
    }

    var errorMessage: String {
        unsafe PQresultErrorMessage(pointer).map { unsafe String(cString: $0) } ?? ""
    }
}
