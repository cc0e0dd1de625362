internal import FleetPluginAPI
internal import YAML

/// The plugins that fleet.yaml may name.
struct PluginCatalog: Sendable {
    private let descriptors: [PluginRole: [String: PluginDescriptor]]

    init(_ descriptors: [PluginDescriptor]) {
        self.descriptors = Dictionary(grouping: descriptors, by: \.role).mapValues { plugins in
            Dictionary(plugins.map { ($0.name, $0) }) { first, _ in first }
        }
    }

    subscript(role: PluginRole, name: String) -> PluginDescriptor? { descriptors[role]?[name] }

    func names(_ role: PluginRole) -> [String] { (descriptors[role] ?? [:]).keys.sorted() }

    /// All of a role, by name.
    func all(_ role: PluginRole) -> [PluginDescriptor] {
        names(role).compactMap { descriptors[role]?[$0] }
    }

    /// What an option belongs to that was found where it does not belong.
    func home(of option: String) -> String? {
        for role in PluginRole.allCases {
            for plugin in all(role) {
                let owner = "the \(role.rawValue) plugin \(plugin.name)"
                if plugin.options.contains(where: { $0.name == option }) { return "\(owner), beside plugin:" }
                if plugin.instanceOptions.contains(where: { $0.name == option }) {
                    return "\(owner), in platform: of an instance"
                }
            }
        }
        return nil
    }
}

extension Validator {
    /// `plugin:` and its options in one mapping.
    mutating func plugin(_ node: YAMLNode, _ role: PluginRole, _ place: Place) -> JSONValue? {
        if let name = node.scalar?.text, plugins[role, name] != nil {
            report(
                Place(mark: node.start, path: place.path), "expected a mapping, found \(found(node))",
                "write {plugin: \(name)}")
            return nil
        }
        guard let pairs = keyed(node, place, hint: "write {plugin: NAME} and its options") else { return nil }
        guard let (_, pair) = pairs.first(where: { $0.0 == "plugin" }) else {
            report(
                place.key("plugin"), "plugin is missing",
                "name the \(role.rawValue) plugin: \(plugins.names(role).joined(separator: ", "))")
            inspect(node, place.path)
            return nil
        }
        let named = Place(mark: pair.value.start, path: place.path.key("plugin"))
        guard case .string(let name)? = scalar(pair.value, .string, named) else { return nil }
        guard let descriptor = plugins[role, name] else {
            reportUnknownPlugin(name, role, named)
            inspect(node, place.path)
            return nil
        }
        let shape = ObjectShape(noun: "the \(role.rawValue) plugin \(name)", options: descriptor.options)
        var values = object(pairs, shape, place, known: ["plugin"]).object ?? [:]
        values["plugin"] = .string(name)
        return .object(values)
    }

    private mutating func reportUnknownPlugin(_ name: String, _ role: PluginRole, _ place: Place) {
        let hint: String
        if let other = PluginRole.allCases.first(where: { $0 != role && plugins[$0, name] != nil }),
            Suggestion.nearest(to: name, among: plugins.names(role)) == nil
        {
            hint = "\(name) is a \(other.rawValue) plugin; there is: \(plugins.names(role).joined(separator: ", "))"
        } else {
            hint = Suggestion.hint(for: name, among: plugins.names(role), none: "there is none")
        }
        report(place, "there is no \(role.rawValue) plugin \(shortened(name))", hint)
    }

    /// The `platform:` block of an instance, checked against the platform of its cluster.
    mutating func instancePlatform(_ given: [String: YAMLPair], _ place: Place, of key: String) -> JSONValue? {
        let pair = given[key]
        let place = place.key(key, at: pair?.key.start ?? place.mark)
        guard let cluster = given["cluster"]?.value.scalar?.text,
            let name = root["clusters"]?[cluster]?["platform"]?["plugin"]?.scalar?.text,
            let descriptor = plugins[.platform, name]
        else {
            // What is wrong is the cluster, and that is said there.
            if let pair { inspect(pair.value, place.path) }
            return nil
        }
        let shape = ObjectShape(noun: "an instance on the platform \(name)", options: descriptor.instanceOptions)
        guard let pair else { return object([], shape, place) }
        return object(pair.value, shape, place)
    }
}

extension ObjectShape {
    init(noun: String, options: [OptionSpec]) {
        self.init(noun: noun, fields: options.map(Field.init))
    }
}
