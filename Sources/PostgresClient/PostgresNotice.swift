internal import CLibPQ
import Synchronization

/// A notice, warning or log line that the server sent beside its answers.
public struct PostgresNotice: Hashable, Sendable {
    /// `NOTICE`, `WARNING`, …, never translated.
    public var severity: String
    public var sqlState: String
    public var message: String

    init(_ result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String {
            unsafe PQresultErrorField(result, Int32(code.value)).map { unsafe String(cString: $0) } ?? ""
        }
        severity = field(PostgresError.Field.severity)
        sqlState = field(PostgresError.Field.sqlState)
        message = field(PostgresError.Field.message)
    }
}

/// The newest notices of a connection.
final class NoticeLog: Sendable {
    private let notices = Mutex<[PostgresNotice]>([])
    private let limit = 100

    func add(_ notice: PostgresNotice) {
        notices.withLock { notices in
            if notices.count == limit { notices.removeFirst() }
            notices.append(notice)
        }
    }

    func take() -> [PostgresNotice] {
        notices.withLock { notices in
            defer { notices = [] }
            return notices
        }
    }
}
