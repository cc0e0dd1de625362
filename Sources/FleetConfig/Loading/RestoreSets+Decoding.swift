internal import FleetPluginAPI

extension RestoreSetDeclaration {
    init(normal: JSONValue) {
        let databases = normal.texts("databases")
        self.init(
            members: normal.list("members"), databases: databases, fence: normal["fence"].map { Fence(normal: $0) },
            causality: (normal["causality"]?.array ?? []).map {
                Causality(cause: $0.text("cause"), effect: $0.text("effect"))
            },
            invariants: (normal["invariants"]?.array ?? []).compactMap { Invariant(normal: $0, databases) },
            transactions: normal["transactions"]?.string,
            clockTolerance: normal.duration("clockTolerance") ?? .milliseconds(500))
    }
}

extension RestoreSetDeclaration.Fence {
    fileprivate init(normal: JSONValue) {
        self.init(
            tables: (normal["tables"]?.object ?? [:]).mapValues { $0.array?.compactMap(\.string) ?? [] },
            advisoryKey: normal["advisory"].map {
                .init(first: Int32($0.integer("first") ?? 0), second: Int32($0.integer("second") ?? 0))
            },
            patience: normal.duration("patience") ?? .milliseconds(300),
            deadline: normal.duration("deadline") ?? .seconds(20))
    }
}

extension Invariant {
    /// Nil for one without a rule, which validation has reported.
    fileprivate init?(normal: JSONValue, _ databases: [String: String]) {
        let name = normal.text("name")
        func query(_ value: JSONValue?) -> Query {
            let member = value?.text("member") ?? ""
            return Query(
                member: member, database: value?["database"]?.string ?? databases[member] ?? "postgres",
                sql: value?.text("sql") ?? "")
        }
        if let subset = normal["subset"] {
            self.init(name: name, rule: .subset(query(subset["keys"]), within: query(subset["within"])))
        } else if let equal = normal["equal"]?.array {
            self.init(name: name, rule: .equal(equal.map { query($0) }))
        } else if let sum = normal["sum"] {
            self.init(
                name: name,
                rule: .sum((sum["of"]?.array ?? []).map { query($0) }, equals: sum["equals"]?.double ?? 0))
        } else if let check = normal["check"] {
            let asked = query(check)
            var check = DataCheck(normal: check)
            check.name = name
            check.database = asked.database
            self.init(name: name, rule: .check(member: asked.member, check))
        } else {
            return nil
        }
    }
}
