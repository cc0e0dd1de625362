import FleetPluginAPI
import FoundationEssentials

/// Small documents of a repository: a line of JSON, and a second line with the SHA-256 of the first, so that no bit of
/// them can change unseen.
enum SealedJSON {
    private struct Seal: Codable {
        var sha256: ContentHash
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let document = try JSONText.encode(value)
        let seal = try JSONText.encode(Seal(sha256: ContentHash(of: document)))
        return document + [newline] + seal + [newline]
    }

    /// - Throws: `corrupted` that names `subject`.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], _ subject: String) throws -> Value {
        let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
        guard lines.count == 3, lines[2].isEmpty else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "it is not a document and its checksum")
        }
        let seal = try JSONText.decode(Seal.self, Array(lines[1]), subject)
        let document = Array(lines[0])
        guard ContentHash(of: document) == seal.sha256 else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "its SHA-256 differs")
        }
        return try JSONText.decode(type, document, subject)
    }

    private static let newline = UInt8(ascii: "\n")
}

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
}
