import FleetPluginAPI
import FoundationEssentials

/// JSON with its members in order, so that equal values give equal bytes.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    /// - Throws: `corrupted` that names `subject`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], _ subject: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw FleetError(.corrupted, "\(subject) cannot be read", cause: "\(error)")
        }
    }

    static func value(_ value: some Encodable) throws -> JSONValue {
        try decode(JSONValue.self, encode(value), "a result")
    }
}
