import FleetPluginAPI

/// What a statement returned, as text.
public struct PostgresResult: Hashable, Sendable {
    public var columns: [String]
    public var rows: [PostgresRow]
    /// `SELECT 3`, `CREATE TABLE`, …
    public var commandTag: String

    init(_ result: LibPQResult) {
        let columns = (0..<result.columnCount).map(result.columnName)
        self.columns = columns
        rows = (0..<result.rowCount).map { row in
            PostgresRow(columns: columns, values: (0..<result.columnCount).map { result.text(row, $0) })
        }
        commandTag = result.commandTag
    }

    /// The first value of the first row; nil when there is none or it is NULL.
    public var value: String? { rows.first?.values.first ?? nil }

    /// The only row.
    ///
    /// - Throws: `protocolViolation` when there are more or fewer.
    public func row() throws -> PostgresRow {
        guard let row = rows.first, rows.count == 1 else {
            throw FleetError(.protocolViolation, "the server returned \(rows.count) rows where one was expected")
        }
        return row
    }
}

/// A row: its values by column name, converted where asked.
public struct PostgresRow: Hashable, Sendable {
    public let columns: [String]
    /// Nil for NULL.
    public let values: [String?]

    public init(columns: [String], values: [String?]) {
        self.columns = columns
        self.values = values
    }

    /// Nil for NULL and for a column that is not there.
    public subscript(column: String) -> String? {
        columns.firstIndex(of: column).flatMap { values[$0] }
    }

    /// The value of a column that is neither NULL nor missing.
    public func text(_ column: String) throws -> String {
        try value(column) { $0 }
    }

    /// The value of a column, converted; `protocolViolation` when it is NULL, missing or not convertible.
    public func value<Value>(_ column: String, _ convert: (String) -> Value?) throws -> Value {
        guard let text = self[column], let value = convert(text) else {
            throw FleetError(.protocolViolation, "the server's answer has no usable value for \(column)")
        }
        return value
    }

    public func bool(_ column: String) throws -> Bool {
        try value(column) { $0 == "t" ? true : $0 == "f" ? false : nil }
    }
}
