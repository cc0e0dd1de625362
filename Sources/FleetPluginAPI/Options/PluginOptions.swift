/// A plugin's options as fleet.yaml gives them, already checked against its descriptor, defaults filled in.
public struct PluginOptions: Hashable, Sendable, Codable {
    public var values: [String: JSONValue]

    public init(_ values: [String: JSONValue] = [:]) {
        self.values = values
    }

    public init(from decoder: any Decoder) throws {
        values = try decoder.singleValueContainer().decode([String: JSONValue].self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }

    public func string(_ name: String) -> String? { values[name]?.string }
    public func integer(_ name: String) -> Int64? { values[name]?.integer }
    public func bool(_ name: String) -> Bool? { values[name]?.bool }
    public func duration(_ name: String) -> Duration? { string(name).flatMap { DurationText.parse($0) } }
    public func size(_ name: String) -> Int64? { string(name).flatMap { ByteSize.parse($0) } }
    public func strings(_ name: String) -> [String]? { values[name]?.array?.compactMap(\.string) }
    public func stringMap(_ name: String) -> [String: String]? { values[name]?.object?.compactMapValues(\.string) }

    public func secret(_ name: String) -> SecretReference? {
        if let variable = values[name]?["env"]?.string { return .environment(variable) }
        if let words = values[name]?["command"]?.array { return .command(words.compactMap(\.string)) }
        return values[name]?["file"]?.string.map { .file($0) }
    }

    /// An option that the plugin cannot do without.
    ///
    /// - Throws: `FleetError.configuration` that names the option.
    public func required(_ name: String) throws(FleetError) -> String {
        guard let value = string(name) else {
            throw FleetError(.configuration, "the option \(name) is missing")
        }
        return value
    }
}
