internal import FleetPluginAPI

// Decoding reads the normal form that validation yields: whatever is required is there, and of the right kind.

extension FleetConfiguration {
    init(normal: JSONValue, path: String, source: [UInt8]) {
        self.init(
            path: path, source: source,
            state: StateLocation(sqlite: normal["state"]?.text("sqlite") ?? ""),
            clusters: normal.map("clusters") { ClusterDeclaration(normal: $0) },
            repositories: normal.map("repositories") { RepositoryDeclaration(normal: $0) },
            policies: normal.map("policies") { PolicyDeclaration(normal: $0) },
            instances: normal.map("instances") { InstanceDeclaration(normal: $0) },
            applications: normal.map("applications") { ApplicationDeclaration(normal: $0) },
            restoreSets: normal.map("restoreSets") { RestoreSetDeclaration(normal: $0) },
            rollout: RolloutDeclaration(normal: normal["rollout"] ?? [:]),
            alerts: AlertThresholds(normal: normal["alerts"] ?? [:]),
            notifiers: normal.map("notifiers") { PluginUse(normal: $0) })
    }
}

extension ClusterDeclaration {
    fileprivate init(normal: JSONValue) {
        self.init(
            environment: normal.text("environment"), platform: PluginUse(normal: normal["platform"] ?? [:]),
            labels: normal.texts("labels"))
    }
}

extension RepositoryDeclaration {
    fileprivate init(normal: JSONValue) {
        let encryption = normal["encryption"]
        self.init(
            storage: PluginUse(normal: normal["storage"] ?? [:]),
            secret: encryption?.secret("passphrase").map { .passphrase($0) }
                ?? encryption?.secret("key").map { .key($0) })
    }
}

extension InstanceDeclaration {
    fileprivate init(normal: JSONValue) {
        self.init(
            cluster: normal.text("cluster"), policy: normal["policy"]?.string,
            platform: PluginOptions(normal["platform"]?.object ?? [:]),
            engine: PluginUse(normal: normal["engine"] ?? [:]), repositories: normal.list("repositories"),
            connection: ConnectionOptions(normal: normal["connection"] ?? [:]),
            checks: (normal["checks"]?.array ?? []).map { DataCheck(normal: $0) },
            masking: (normal["masking"]?.array ?? []).map { mask in
                DataMask(name: mask.text("name"), database: mask.text("database"), sql: mask.text("sql"))
            }, labels: normal.texts("labels"))
    }
}

extension ConnectionOptions {
    fileprivate init(normal: JSONValue) {
        self.init(
            host: normal["host"]?.string, port: normal.integer("port"), user: normal["user"]?.string,
            database: normal["database"]?.string, password: normal.secret("password"),
            sslMode: normal["sslMode"]?.string, sslRootCertificate: normal["sslRootCertificate"]?.string)
    }
}

extension DataCheck {
    init(normal: JSONValue) {
        let expectation: Expectation =
            if let value = normal["equals"]?.string {
                .equals(value)
            } else if let value = normal["atLeast"]?.double {
                .atLeast(value)
            } else if let value = normal["atMost"]?.double {
                .atMost(value)
            } else {
                .succeeds
            }
        self.init(
            name: normal.text("name"), database: normal.text("database"), sql: normal.text("sql"),
            expectation: expectation)
    }
}

extension ApplicationDeclaration {
    fileprivate init(normal: JSONValue) {
        self.init(
            cluster: normal.text("cluster"), uses: normal.list("uses"),
            scaler: PluginUse(normal: normal["scaler"] ?? [:]),
            probes: (normal["probes"]?.array ?? []).map { PluginUse(normal: $0) }, after: normal.list("after"),
            labels: normal.texts("labels"))
    }
}

extension PluginUse {
    init(normal: JSONValue) {
        var options = normal.object ?? [:]
        let plugin = options.removeValue(forKey: "plugin")?.string ?? ""
        self.init(plugin: plugin, options: PluginOptions(options))
    }
}
