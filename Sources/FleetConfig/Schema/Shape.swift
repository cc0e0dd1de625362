internal import FleetPluginAPI

/// What may stand at a place of fleet.yaml. Validation and the JSON Schema both follow it.
indirect enum Shape: Sendable {
    case string
    /// SQL: as `string`, but text that looks like a connection string is none.
    case sql
    /// A name that can stand in file names, labels and Kubernetes objects.
    case name
    /// Made absolute.
    case path
    case integer(minimum: Int64?, maximum: Int64?)
    case number
    case boolean
    case duration(positive: Bool)
    case size
    case percent
    case secret
    case url
    case cron
    case choice([String])
    /// Exactly this text.
    case constant(String)
    /// A string, number or boolean; becomes its text as written.
    case text
    /// The same, but booleans become PostgreSQL's text of them.
    case scalar
    /// Anything; `isObject` when it must be a mapping.
    case any(isObject: Bool)
    /// The name of something declared elsewhere in the file.
    case reference(Section)
    case list(Shape, minimum: Int, unique: Bool)
    /// Keys to values; the keys are names of things of this section, or free.
    case map(Section?, Shape)
    case object(ObjectShape)
    /// `plugin:` and its options.
    case plugin(PluginRole)
    /// The options that the platform of the instance's cluster takes for an instance.
    case instancePlatform
    /// Known, and not in this version.
    case unsupported(String)
}

/// A mapping with known keys.
struct ObjectShape: Sendable {
    /// With its article: `a policy`.
    var noun: String
    var fields: [Field]
    /// Of these keys at most one may be given.
    var exclusive: [String] = []
    /// Of these keys at least one must be given.
    var asksForOneOf: [String] = []
    /// Keys that begin with `x-` are free: a place for anchors.
    var allowsExtensions = false
    /// `repositories` must be there unless the engine keeps its own.
    var asksForRepositories = false

    struct Field: Sendable {
        var name: String
        var shape: Shape
        var isRequired: Bool
        var help: String
        var defaultValue: JSONValue?
    }
}

extension ObjectShape.Field {
    static func required(_ name: String, _ shape: Shape, _ help: String) -> Self {
        Self(name: name, shape: shape, isRequired: true, help: help, defaultValue: nil)
    }

    static func optional(_ name: String, _ shape: Shape, _ help: String, default defaultValue: JSONValue? = nil)
        -> Self
    {
        Self(name: name, shape: shape, isRequired: false, help: help, defaultValue: defaultValue)
    }

    /// An option as a plugin declares it.
    init(_ option: OptionSpec) {
        let shape: Shape =
            switch option.kind {
            case .string: .string
            case .path: .path
            case .integer(let minimum, let maximum): .integer(minimum: minimum, maximum: maximum)
            case .boolean: .boolean
            case .duration: .duration(positive: false)
            case .size: .size
            case .percent: .percent
            case .secret: .secret
            case .url: .url
            case .choice(let values): .choice(values)
            case .stringList: .list(.text, minimum: 0, unique: false)
            case .stringMap: .map(nil, .text)
            case .any: .any(isObject: false)
            }
        self.init(
            name: option.name, shape: shape, isRequired: option.isRequired, help: option.help,
            defaultValue: option.defaultValue)
    }
}

/// What fleet.yaml declares by name, and what can therefore be referred to.
enum Section: String, Sendable, CaseIterable {
    case clusters, repositories, policies, instances, applications, restoreSets, notifiers
    /// Not declared as such: the environments that clusters are in.
    case environments

    var noun: String {
        switch self {
        case .clusters: "cluster"
        case .repositories: "repository"
        case .policies: "policy"
        case .instances: "instance"
        case .applications: "application"
        case .restoreSets: "restore set"
        case .notifiers: "notifier"
        case .environments: "environment"
        }
    }
}
