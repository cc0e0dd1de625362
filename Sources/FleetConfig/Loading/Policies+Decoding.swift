internal import FleetPluginAPI

extension PolicyDeclaration {
    init(normal: JSONValue) {
        var schedule: [BackupRecord.Kind: CronExpression] = [:]
        for kind in BackupRecord.Kind.allCases {
            schedule[kind] = normal["schedule"]?[kind.rawValue]?.string.flatMap { try? CronExpression(parsing: $0) }
        }
        self.init(
            schedule: schedule,
            retention: Retention(
                full: normal["retention"]?.integer("full"), diff: normal["retention"]?.integer("diff"),
                window: normal["retention"]?.duration("window")),
            rpo: normal.duration("rpo"), rto: normal.duration("rto"), drillEvery: normal["drill"]?.duration("every"))
    }
}

extension RolloutDeclaration {
    init(normal: JSONValue) {
        self.init(
            stages: (normal["stages"]?.array ?? []).map { Stage(normal: $0) }, parallel: normal.integer("parallel"),
            parallelPerCluster: normal.integer("parallelPerCluster"))
    }
}

extension RolloutDeclaration.Stage {
    init(normal: JSONValue) {
        let probes: [JSONValue] = normal["probes"]?.array ?? []
        self.init(
            environment: normal.text("environment"), soak: normal.duration("soak"),
            probes: probes.map { PluginUse(normal: $0) }, maxFailures: normal.integer("maxFailures") ?? 0,
            deadline: normal.duration("deadline"), requiresApproval: normal["approval"]?.string == "required",
            approvedByAnother: normal["approvalBy"]?.string == "another",
            approvalExpires: normal.duration("approvalExpires") ?? .seconds(86_400))
    }
}

extension AlertThresholds {
    init(normal: JSONValue) {
        let defaults = AlertThresholds()
        self.init(
            failedBackups: normal.integer("failedBackups") ?? defaults.failedBackups,
            noBackupFor: normal.duration("noBackupFor") ?? defaults.noBackupFor,
            walLag: normal.duration("walLag") ?? defaults.walLag,
            repositoryUse: normal["repositoryUse"]?.string.flatMap(Validator.percent) ?? defaults.repositoryUse)
    }
}

extension JSONValue {
    func text(_ key: String) -> String { self[key]?.string ?? "" }
    func integer(_ key: String) -> Int? { self[key]?.integer.map { Int($0) } }
    func duration(_ key: String) -> Duration? { self[key]?.string.flatMap { DurationText.parse($0) } }
    func list(_ key: String) -> [String] { self[key]?.array?.compactMap(\.string) ?? [] }
    func texts(_ key: String) -> [String: String] { self[key]?.object?.compactMapValues(\.string) ?? [:] }

    func map<Value>(_ key: String, _ make: (JSONValue) -> Value) -> [String: Value] {
        (self[key]?.object ?? [:]).mapValues(make)
    }

    func secret(_ key: String) -> SecretReference? {
        PluginOptions(object ?? [:]).secret(key)
    }

    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
