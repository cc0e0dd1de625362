import FleetPluginAPI
import YAML

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Values as text for programs.
enum TextEncoding {
    /// Members in the order of their names, two blanks of indent, a line feed at the end.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    /// One line, for streams of values.
    static func jsonLine(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    static func yaml(_ value: some Encodable) throws -> String {
        let bytes = try JSONEncoder().encode(value)
        return YAMLValue(try JSONDecoder().decode(JSONValue.self, from: bytes)).text
    }
}

extension YAMLValue {
    fileprivate init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let items): self = .sequence(items.map { YAMLValue($0) })
        case .object(let members):
            self = .mapping(members.sorted { $0.key < $1.key }.map { Entry($0.key, YAMLValue($0.value)) })
        }
    }
}
