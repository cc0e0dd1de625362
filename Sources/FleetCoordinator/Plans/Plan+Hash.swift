import Crypto
import FleetPluginAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Plan {
    /// SHA-256 over the plan's canonical JSON (keys sorted), in hexadecimal: what a confirmation or approval is
    /// bound to.
    public func hash() throws -> String {
        SHA256.hash(data: try CanonicalJSON.encode(self)).hexadecimal
    }

    public func encoded() throws -> [UInt8] {
        Array(try CanonicalJSON.encode(self))
    }

    /// Reads a plan that `encoded` wrote.
    ///
    /// - Throws: `usage` when it is no plan or one of another version.
    public init(decoding bytes: [UInt8], from place: String) throws {
        do {
            self = try JSONDecoder().decode(Plan.self, from: Data(bytes))
        } catch {
            throw FleetError(
                .usage, "\(place) is not a fleet plan", cause: "\(error)",
                hint: "write one with: fleet restore … --plan-out \(place)")
        }
        guard version == 1 else {
            throw FleetError(.usage, "\(place) is a plan of version \(version); this fleet reads version 1")
        }
    }
}

/// A plan in a file: readable, line by line, with the hash of what was planned.
struct KeptPlan: Codable {
    var hash: String
    var plan: Plan
}

extension Plan {
    /// The plan for a file that people read and compare: one member a line, its hash beside it.
    public func kept() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return Array(try encoder.encode(KeptPlan(hash: try hash(), plan: self))) + Array("\n".utf8)
    }

    /// Reads a plan that `kept` wrote.
    ///
    /// - Throws: `usage` when it is no plan, `refused` when it is not the plan that was made.
    public init(kept bytes: [UInt8], from place: String) throws {
        let kept: KeptPlan
        do {
            kept = try JSONDecoder().decode(KeptPlan.self, from: Data(bytes))
        } catch {
            throw FleetError(
                .usage, "\(place) is not a fleet plan", cause: "\(error)",
                hint: "write one with: fleet restore … --plan-out \(place)")
        }
        self = try Plan(decoding: try kept.plan.encoded(), from: place)
        guard try hash() == kept.hash else {
            throw FleetError(
                .refused, "\(place) was changed after the plan was made", cause: "its hash is not that of its content",
                hint: "plan again, and say what shall be different on the command line")
        }
    }
}

/// JSON that is the same for the same value.
enum CanonicalJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encode(value), as: UTF8.self)
    }

    /// A value in terms of `JSONValue`, for step outputs and observations.
    static func value(_ value: some Encodable) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from value: JSONValue) throws -> Value {
        try JSONDecoder().decode(type, from: encode(value))
    }
}
