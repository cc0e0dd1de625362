import FleetPluginAPI
import FoundationEssentials
import GRDB

/// JSON as the store keeps it: keys sorted, slashes as they are.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw FleetError(.failed, "a value cannot be stored as JSON", cause: "it has a number without a JSON form")
        }
    }

    static func encode(_ value: (some Encodable)?) throws -> String? {
        guard let value else { return nil }
        return try encode(value) as String
    }
}

// GRDB's subscripts trap on a value of the wrong type; these throw, so that an edited file costs a call only.
extension Row {
    func text(_ column: String) throws -> String {
        try decode(String.self, forColumn: column)
    }

    func textIfPresent(_ column: String) throws -> String? {
        try decode(String?.self, forColumn: column)
    }

    func integer(_ column: String) throws -> Int64 {
        try decode(Int64.self, forColumn: column)
    }

    func timestamp(_ column: String) throws -> Timestamp {
        Timestamp(microseconds: try integer(column))
    }

    func timestampIfPresent(_ column: String) throws -> Timestamp? {
        try decode(Int64?.self, forColumn: column).map(Timestamp.init(microseconds:))
    }

    func json<Value: Decodable>(_ column: String) throws -> Value {
        try Self.parse(try text(column), column)
    }

    func jsonIfPresent<Value: Decodable>(_ column: String) throws -> Value? {
        try textIfPresent(column).map { try Self.parse($0, column) }
    }

    func choice<Value: RawRepresentable>(_ column: String) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try text(column)) else { throw Self.unreadable(column) }
        return value
    }

    private static func parse<Value: Decodable>(_ text: String, _ column: String) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw unreadable(column)
        }
    }

    private static func unreadable(_ column: String) -> FleetError {
        FleetError(
            .corrupted, "the state holds a value in `\(column)` that fleet does not understand",
            hint: "was the file edited by hand, or written by a newer fleet?")
    }
}
