import FleetPluginAPI
import FoundationEssentials

/// Values as the text of an annotation: the same value is always the same text.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// - Throws: `corrupted` that names `source`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String, from source: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw FleetError(
                .corrupted, "\(source) cannot be read", cause: "\(error)",
                hint: "it is fleet's own; if someone edited it, write back what it was")
        }
    }

    /// A value that can be encoded, as JSON.
    static func value(_ value: some Encodable) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ value: JSONValue) throws -> Value {
        try JSONDecoder().decode(type, from: JSONEncoder().encode(value))
    }
}
