import FleetPluginAPI
import FoundationEssentials

/// Objects as bytes.
enum KubernetesJSON {
    /// - Throws: `protocolViolation` that names `source`, with none of the bytes.
    static func decode(_ bytes: [UInt8], from source: @autoclosure () -> String) throws -> JSONValue {
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw FleetError(
                .protocolViolation, "\(source()): the answer is no JSON",
                hint: "check that the server's address is that of a Kubernetes API server")
        }
    }

    static func encode(_ value: JSONValue) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }
}
