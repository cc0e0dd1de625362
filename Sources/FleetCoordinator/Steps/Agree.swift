import FleetConfig
import FleetPluginAPI
import FleetStore

/// The paused members of a restore set keep to what was declared to hold between them.
///
/// Invariants refute and never prove: what makes the members consistent is the kind of the mark.
struct Agree: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let set = context.plan.set else { throw FleetError(.drifted, "the plan has no restore set") }
        let results = try await InvariantCheck(context).results(of: set.invariants)
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
    private let servers: any DatabaseServers
    /// Where a member answers: itself, or the copy that the run has made of it.
    private let endpoint: @Sendable (String) async throws -> Endpoint

    private static let patience = Duration.seconds(900)

    init(_ context: StepContext) {
        servers = context.servers
        endpoint = { try await context.endpoint(of: $0) }
    }

    func results(of invariants: [Invariant]) async throws -> [DataCheckResult] {
        var results: [DataCheckResult] = []
        for invariant in invariants { results.append(try await result(of: invariant)) }
        return results
    }

    func result(of invariant: Invariant) async throws -> DataCheckResult {
        switch invariant.rule {
        case .check(let member, let check):
            return try await servers.check(check, at: endpoint(member), deadline: Self.patience)
        case .subset(let query, let within):
            let found = try await compare(query, within)
            return DataCheckResult(
                check: invariant.name, passed: found.onlyFirst.count == 0, value: "\(found.first) keys",
                reason: found.onlyFirst.text(of: query.member, notIn: within.member))
        case .equal(let queries):
            guard let first = queries.first else { throw FleetError(.failed, "an invariant has no query") }
            var count = 0
            for query in queries.dropFirst() {
                let found = try await compare(first, query)
                count = found.first
                let reasons = [
                    found.onlyFirst.text(of: first.member, notIn: query.member),
                    found.onlySecond.text(of: query.member, notIn: first.member),
                ].compactMap { $0 }
                guard reasons.isEmpty else {
                    return DataCheckResult(
                        check: invariant.name, passed: false, value: "\(count) keys",
                        reason: reasons.joined(separator: ", "))
                }
            }
            return DataCheckResult(check: invariant.name, passed: true, value: "\(count) keys")
        case .sum(let queries, let expected):
            var sum = 0.0
            for query in queries {
                var cursor = KeyCursor(try await read(query))
                let value = try await cursor.take()
                let more = try await cursor.take()
                await cursor.close()
                guard let value, more == nil, let number = Double(value) else {
                    return DataCheckResult(
                        check: invariant.name, passed: false, value: value,
                        reason:
                            "\(query.member) answers with \(value == nil ? "nothing" : "more than one value, or none that is a number")"
                    )
                }
                sum += number
            }
            return DataCheckResult(
                check: invariant.name, passed: sum == expected, value: "\(sum)",
                reason: sum == expected ? nil : "\(sum) is not \(expected)")
        }
    }

    /// What two queries do not have in common: both are read in the order of their keys, side by side.
    private func compare(_ first: Invariant.Query, _ second: Invariant.Query) async throws -> KeyComparison {
        var left = KeyCursor(try await read(first))
        do {
            var right = KeyCursor(try await read(second))
            do {
                let comparison = try await KeyComparison(&left, &right)
                await left.close()
                await right.close()
                return comparison
            } catch {
                await right.close()
                throw error
            }
        } catch {
            await left.close()
            throw error
        }
    }

    private func read(_ query: Invariant.Query) async throws -> any KeyReader {
        try await servers.keys(
            query.sql, database: query.database, at: endpoint(query.member), deadline: Self.patience)
    }
}

/// Keys one by one.
struct KeyCursor: Sendable {
    private let reader: any KeyReader
    private var part: ArraySlice<String> = []
    private var isAtEnd = false

    init(_ reader: any KeyReader) {
        self.reader = reader
    }

    /// The next one; nil at the end.
    mutating func take() async throws -> String? {
        if part.isEmpty, !isAtEnd {
            part = try await reader.next()[...]
            isAtEnd = part.isEmpty
        }
        return part.popFirst()
    }

    func close() async { await reader.close() }
}

/// What two sorted lists of keys do not have in common.
struct KeyComparison: Sendable {
    /// Keys of the first and of the second.
    private(set) var first = 0
    private(set) var second = 0
    private(set) var onlyFirst = Sample()
    private(set) var onlySecond = Sample()

    /// How many there are, and some of them.
    struct Sample: Sendable {
        private(set) var count = 0
        private var some: [String] = []

        mutating func add(_ key: String) {
            count += 1
            if some.count < 3 { some.append(key) }
        }

        /// Nil when there are none.
        func text(of member: String, notIn other: String) -> String? {
            guard count > 0 else { return nil }
            let more = count > some.count ? " and \(count - some.count) more" : ""
            return "\(some.joined(separator: ", "))\(more) of \(member) not in \(other)"
        }
    }

    init(_ left: inout KeyCursor, _ right: inout KeyCursor) async throws {
        var one = try await left.take()
        var other = try await right.take()
        while one != nil || other != nil {
            if let a = one, let b = other, a == b {
                first += 1
                second += 1
                one = try await left.take()
                other = try await right.take()
            } else if let a = one, other.map({ a.utf8.lexicographicallyPrecedes($0.utf8) }) ?? true {
                first += 1
                onlyFirst.add(a)
                one = try await left.take()
            } else if let b = other {
                second += 1
                onlySecond.add(b)
                other = try await right.take()
            }
        }
    }
}
