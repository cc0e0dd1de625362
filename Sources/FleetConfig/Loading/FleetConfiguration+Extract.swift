public import FleetPluginAPI
internal import YAML

extension FleetConfiguration {
    /// A fleet.yaml for what runs beside one instance's data: that instance, its cluster, policy and repositories, all
    /// paths absolute. Read back it is the same as this configuration, as far as that instance goes.
    ///
    /// Holds references to secrets, as the file does, and no secrets.
    /// - Throws: `notFound`.
    public func extract(instance name: String) throws(FleetError) -> String {
        guard let instance = instances[name] else {
            throw FleetError(
                .notFound, "there is no instance \(name)",
                hint: Suggestion.hint(for: name, among: instances.keys.sorted(), none: "none is declared"))
        }
        var document: [YAMLValue.Entry] = [
            .init("apiVersion", .string(FleetSchema.apiVersion)),
            .init("kind", .string(FleetSchema.kind)),
            .init("state", .mapping([.init("sqlite", .string(state.sqlite))])),
            .init("clusters", section([instance.cluster]) { clusters[$0]?.yaml }),
            .init("repositories", section(instance.repositories) { repositories[$0]?.yaml }),
        ]
        if let policy = instance.policy {
            document.append(.init("policies", section([policy]) { policies[$0]?.yaml }))
        }
        document.append(.init("instances", section([name]) { _ in instance.yaml }))
        return YAMLValue.mapping(document).text
    }

    private func section(_ names: [String], _ value: (String) -> YAMLValue?) -> YAMLValue {
        .mapping(names.compactMap { name in value(name).map { .init(name, $0) } })
    }
}

extension ClusterDeclaration {
    fileprivate var yaml: YAMLValue {
        .mapping(
            [.init("environment", .string(environment)), .init("platform", platform.yaml)] + labelEntries(labels))
    }
}

extension RepositoryDeclaration {
    fileprivate var yaml: YAMLValue {
        var entries = [YAMLValue.Entry("storage", storage.yaml)]
        switch secret {
        case .passphrase(let reference):
            entries.append(.init("encryption", .mapping([.init("passphrase", reference.yaml)])))
        case .key(let reference): entries.append(.init("encryption", .mapping([.init("key", reference.yaml)])))
        case nil: break
        }
        return .mapping(entries)
    }
}

extension PolicyDeclaration {
    fileprivate var yaml: YAMLValue {
        var entries: [YAMLValue.Entry] = []
        func add(_ name: String, _ fields: [(String, YAMLValue?)]) {
            let given = fields.compactMap { field in field.1.map { YAMLValue.Entry(field.0, $0) } }
            if !given.isEmpty { entries.append(.init(name, .mapping(given))) }
        }
        add(
            "schedule",
            BackupRecord.Kind.allCases.map { kind in (kind.rawValue, schedule[kind].map { .string($0.text) }) })
        add(
            "retention",
            [
                ("full", retention.full.map { .integer(Int64($0)) }),
                ("diff", retention.diff.map { .integer(Int64($0)) }),
                ("window", retention.window.map { .string(DurationText.exactly($0)) }),
            ])
        if let rpo { entries.append(.init("rpo", .string(DurationText.exactly(rpo)))) }
        if let rto { entries.append(.init("rto", .string(DurationText.exactly(rto)))) }
        add("drill", [("every", drillEvery.map { .string(DurationText.exactly($0)) })])
        return .mapping(entries)
    }
}

extension InstanceDeclaration {
    fileprivate var yaml: YAMLValue {
        var entries: [YAMLValue.Entry] = [.init("cluster", .string(cluster))]
        if let policy { entries.append(.init("policy", .string(policy))) }
        entries.append(.init("platform", YAMLValue(.object(platform.values))))
        entries.append(.init("engine", engine.yaml))
        if !repositories.isEmpty {
            entries.append(.init("repositories", .sequence(repositories.map { .string($0) })))
        }
        let connection = connection.yamlEntries
        if !connection.isEmpty { entries.append(.init("connection", .mapping(connection))) }
        if !checks.isEmpty { entries.append(.init("checks", .sequence(checks.map(\.yaml)))) }
        return .mapping(entries + labelEntries(labels))
    }
}

extension ConnectionOptions {
    fileprivate var yamlEntries: [YAMLValue.Entry] {
        let fields: [(String, YAMLValue?)] = [
            ("host", host.map { .string($0) }), ("port", port.map { .integer(Int64($0)) }),
            ("user", user.map { .string($0) }), ("database", database.map { .string($0) }),
            ("password", password?.yaml), ("sslMode", sslMode.map { .string($0) }),
            ("sslRootCertificate", sslRootCertificate.map { .string($0) }),
        ]
        return fields.compactMap { field in field.1.map { .init(field.0, $0) } }
    }
}

extension DataCheck {
    fileprivate var yaml: YAMLValue {
        var entries: [YAMLValue.Entry] = [
            .init("name", .string(name)), .init("database", .string(database)), .init("sql", .string(sql)),
        ]
        switch expectation {
        case .equals(let value): entries.append(.init("equals", .string(value)))
        case .atLeast(let value): entries.append(.init("atLeast", .number(value)))
        case .atMost(let value): entries.append(.init("atMost", .number(value)))
        case .succeeds: break
        }
        return .mapping(entries)
    }
}

private func labelEntries(_ labels: [String: String]) -> [YAMLValue.Entry] {
    labels.isEmpty ? [] : [.init("labels", YAMLValue(.object(labels.mapValues { .string($0) })))]
}

extension PluginUse {
    fileprivate var yaml: YAMLValue {
        guard case .mapping(let options) = YAMLValue(.object(options.values)) else { return .null }
        return .mapping([.init("plugin", .string(plugin))] + options)
    }
}

extension SecretReference {
    fileprivate var yaml: YAMLValue {
        switch self {
        case .environment(let name): .mapping([.init("env", .string(name))])
        case .file(let path): .mapping([.init("file", .string(path))])
        case .command(let words): .mapping([.init("command", .sequence(words.map { .string($0) }))])
        }
    }
}

extension YAMLValue {
    /// Members in the order of their names.
    init(_ value: JSONValue) {
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
