/// The seams of fleet: what a plugin can be.
public enum PluginRole: String, Hashable, Sendable, Codable, CaseIterable {
    case engine, storage, platform, scaler, probe, notifier
}

/// What a plugin says of itself before it is used: its name, its options and what it can do.
///
/// fleet.yaml is checked against it and the JSON Schema is made from it, so an option that is not declared here
/// cannot be written there.
public struct PluginDescriptor: Hashable, Sendable, Codable {
    public var role: PluginRole
    /// As `plugin:` names it.
    public var name: String
    public var version: String
    /// One sentence.
    public var summary: String
    /// Options beside `plugin:`.
    public var options: [OptionSpec]
    /// Platforms only: options in the `platform:` block of each instance.
    public var instanceOptions: [OptionSpec]
    /// Engines only: an instance may have no repositories in fleet.yaml, because the engine's own configuration says
    /// where they are.
    public var keepsOwnRepositories: Bool

    public init(
        role: PluginRole, name: String, version: String, summary: String, options: [OptionSpec] = [],
        instanceOptions: [OptionSpec] = [], keepsOwnRepositories: Bool = false
    ) {
        self.role = role
        self.name = name
        self.version = version
        self.summary = summary
        self.options = options
        self.instanceOptions = instanceOptions
        self.keepsOwnRepositories = keepsOwnRepositories
    }
}

/// One option of a plugin.
public struct OptionSpec: Hashable, Sendable, Codable {
    public var name: String
    public var kind: Kind
    public var isRequired: Bool
    /// What it means, its unit and what happens without it; one or two sentences.
    public var help: String
    public var defaultValue: JSONValue?

    public enum Kind: Hashable, Sendable, Codable {
        case string
        /// A path; relative ones are taken from the folder of fleet.yaml and handed on absolute.
        case path
        case integer(minimum: Int64?, maximum: Int64?)
        case boolean
        /// `15m`; see `DurationText`.
        case duration
        /// `512MiB`; see `ByteSize`.
        case size
        /// `80%`
        case percent
        /// `{env: NAME}` or `{file: PATH}`, never the secret itself.
        case secret
        case url
        case choice([String])
        /// A list of strings: arguments of a command, patterns.
        case stringList
        /// Names to strings: environment variables, labels.
        case stringMap
        /// Checked by the plugin itself.
        case any
    }

    public init(
        _ name: String, _ kind: Kind, required: Bool = false, default defaultValue: JSONValue? = nil, help: String
    ) {
        self.name = name
        self.kind = kind
        self.isRequired = required
        self.help = help
        self.defaultValue = defaultValue
    }
}
