import FleetPluginAPI
import GRDB

/// SQLite's errors in words that help. Never the SQL or its values.
enum StoreFault {
    static func error(_ error: any Error, path: String) -> FleetError {
        switch error {
        case let error as FleetError: error
        case let error as DatabaseError: fault(error, path: path)
        case is RowDecodingError:
            FleetError(
                .corrupted, "the state file \(path) holds a value that fleet does not understand",
                hint: "was it edited by hand, or written by a newer fleet?")
        default: FleetError(error, "the state file \(path) could not be used")
        }
    }

    private static func fault(_ error: DatabaseError, path: String) -> FleetError {
        let cause = "\(error.message ?? "no message") (SQLite error \(error.extendedResultCode.rawValue))"
        switch error.resultCode {
        case .SQLITE_FULL:
            return FleetError(
                .exhausted, "the state file \(path) cannot grow", cause: cause,
                hint: "make room on its file system and try again; what was being written was not")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return FleetError(
                .denied, "the state file \(path) cannot be written", cause: cause,
                hint: "fleet must be able to write the file and its folder; is the file system mounted read-only?")
        case .SQLITE_CANTOPEN:
            return FleetError(
                .denied, "the state file \(path) cannot be opened", cause: cause,
                hint: "it must be a file, and fleet must be able to write it and its folder")
        case .SQLITE_NOTADB:
            return FleetError(
                .corrupted, "\(path) is not a state file of fleet, or its beginning is destroyed", cause: cause,
                hint: "check the path under `state` in fleet.yaml; if it is right, put a copy of the file back")
        case .SQLITE_CORRUPT:
            return FleetError(
                .corrupted, "the state file \(path) is damaged", cause: cause,
                hint: "stop every fleet that uses it, set the file and its -wal aside, then put a copy back or rescue"
                    + " it with: sqlite3 \(path) .recover")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return FleetError(
                .timedOut, "the state file \(path) was locked for \(SQLiteStore.busySeconds) s", cause: cause,
                hint: "another process holds a transaction open, such as an sqlite3 shell or a backup tool")
        case .SQLITE_IOERR:
            return FleetError(
                .failed, "the state file \(path) could not be read or written", cause: cause,
                hint: "look at the kernel's log for errors of the disk; a network file system will not do")
        default:
            return FleetError(.failed, "the state file \(path) could not be used", cause: cause)
        }
    }
}
