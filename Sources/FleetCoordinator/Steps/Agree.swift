import FleetConfig
import FleetPluginAPI
import FleetStore

/// The paused members of a restore set keep to what was declared to hold between them.
///
/// Invariants refute and never prove: what makes the members consistent is the kind of the mark.
struct Agree: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let set = context.plan.set else { throw FleetError(.drifted, "the plan has no restore set") }
        let results = try await InvariantCheck(inventory: context.inventory, servers: context.servers)
            .results(of: set.invariants)
        let failed = results.filter { !$0.passed }
        guard failed.isEmpty else {
            throw FleetError(
                .checkFailed,
                "\(failed.count) of \(results.count) invariants of the restore set \(set.name) do not hold",
                cause: failed.map { "\($0.check): \($0.reason ?? "")" }.joined(separator: "; "))
        }
        return [
            "cut": .string(set.cut), "kind": .string(set.kind),
            "invariants": .array(try results.map { try CanonicalJSON.value($0) }),
        ]
    }
}

/// The set has another future from here on.
struct Epoch: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let set = context.plan.set else { throw FleetError(.drifted, "the plan has no restore set") }
        // Done twice after a crash it is one too high, which hides nothing: it tells futures apart.
        return ["epoch": .integer(Int64(try await context.store.raiseEpoch(of: set.name)))]
    }
}

/// Asks the members of a set what was declared to hold between them.
struct InvariantCheck: Sendable {
    let inventory: Inventory
    let servers: any DatabaseServers

    /// Keys that are compared, at most: they are held in memory.
    private static let limit = 5_000_000
    private static let patience = Duration.seconds(300)

    func results(of invariants: [Invariant]) async throws -> [DataCheckResult] {
        var results: [DataCheckResult] = []
        for invariant in invariants { results.append(try await result(of: invariant)) }
        return results
    }

    private func result(of invariant: Invariant) async throws -> DataCheckResult {
        switch invariant.rule {
        case .check(let member, let check):
            return try await servers.check(check, at: endpoint(member), deadline: Self.patience)
        case .subset(let query, let within):
            async let keys = ask(query)
            async let known = ask(within)
            let missing = Self.missing(try await keys, in: try await known)
            return DataCheckResult(
                check: invariant.name, passed: missing.isEmpty, value: "\(try await keys.count) keys",
                reason: missing.isEmpty
                    ? nil : "\(Self.some(missing)) of \(query.member) not in \(within.member)")
        case .equal(let queries):
            let found = try await all(queries)
            for (query, keys) in zip(queries, found).dropFirst() {
                let missing = Self.missing(found[0], in: keys)
                let more = Self.missing(keys, in: found[0])
                guard missing.isEmpty, more.isEmpty else {
                    let parts = [
                        missing.isEmpty ? nil : "\(Self.some(missing)) of \(queries[0].member) not in \(query.member)",
                        more.isEmpty ? nil : "\(Self.some(more)) of \(query.member) not in \(queries[0].member)",
                    ]
                    return DataCheckResult(
                        check: invariant.name, passed: false, value: "\(found[0].count) keys",
                        reason: parts.compactMap { $0 }.joined(separator: ", "))
                }
            }
            return DataCheckResult(check: invariant.name, passed: true, value: "\(found.first?.count ?? 0) keys")
        case .sum(let queries, let expected):
            var sum = 0.0
            for (query, values) in zip(queries, try await all(queries)) {
                guard values.count == 1, let value = Double(values[0]) else {
                    return DataCheckResult(
                        check: invariant.name, passed: false, value: nil,
                        reason: "\(query.member) answers with \(values.count) values where one number was expected")
                }
                sum += value
            }
            return DataCheckResult(
                check: invariant.name, passed: sum == expected, value: "\(sum)",
                reason: sum == expected ? nil : "\(sum) is not \(expected)")
        }
    }

    private func all(_ queries: [Invariant.Query]) async throws -> [[String]] {
        try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
            for (index, query) in queries.enumerated() {
                group.addTask { (index, try await ask(query)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func ask(_ query: Invariant.Query) async throws -> [String] {
        try await servers.keys(
            query.sql, database: query.database, at: endpoint(query.member), limit: Self.limit,
            deadline: Self.patience)
    }

    private func endpoint(_ member: String) async throws -> Endpoint {
        let instance = try inventory.instance(member)
        return try await inventory.platform(of: instance).endpoint(of: instance)
    }

    /// Of two sorted lists, what only the first one has.
    private static func missing(_ keys: [String], in others: [String]) -> [String] {
        var rest = others[...]
        return keys.filter { key in
            while let next = rest.first, next.utf8.lexicographicallyPrecedes(key.utf8) { rest = rest.dropFirst() }
            return rest.first != key
        }
    }

    private static func some(_ keys: [String]) -> String {
        let shown = keys.prefix(3).joined(separator: ", ")
        return keys.count > 3 ? "\(shown) and \(keys.count - 3) more" : shown
    }
}
