import FleetConfig
import FleetPluginAPI
import FleetStore
import PostgresFormats

/// Decides what becomes of transactions that span members and were prepared, and not finished everywhere, at a cut.
///
/// By what each member's side of one transaction was at the cut: some committed and the rest prepared, then the rest is
/// committed; nothing committed, then what is prepared is rolled back (presumed abort). A committed side beside one that
/// is not there or was rolled back cannot be mended; a consistent cut has no such transaction.
struct Reconciliation: Sendable {
    /// What one member's side was at the cut.
    enum Side: String, Sendable, Codable {
        case prepared, committed, rolledBack, absent
        /// WAL that would tell was not read.
        case unknown
    }

    enum Decision: String, Sendable, Codable {
        case commit, rollBack
        /// Half of it is there: to be compensated by people.
        case broken
        /// Nobody can tell: left as it is.
        case undecided
    }

    static func decide(_ sides: [Side]) -> Decision {
        if sides.contains(.committed) {
            if sides.contains(.absent) || sides.contains(.rolledBack) { return .broken }
            return sides.contains(.unknown) ? .undecided : .commit
        }
        // A side that may have been committed is not undone.
        return sides.contains(.unknown) ? .undecided : .rollBack
    }

    /// What all sides of one transaction have in common.
    ///
    /// - Parameter pattern: with one group; nil for what JDBC and psycopg make of an XA identifier, and else the whole.
    static func key(_ identifier: String, _ pattern: Regex<AnyRegexOutput>?) -> String {
        if let pattern {
            guard let match = try? pattern.firstMatch(in: identifier), match.output.count > 1,
                let group = match.output[1].substring
            else { return identifier }
            return String(group)
        }
        // <format>_<global part, base64>_<branch, base64>
        let parts = identifier.split(separator: "_", omittingEmptySubsequences: false)
        if parts.count == 3, Int32(parts[0]) != nil, !parts[1].isEmpty { return "\(parts[0])_\(parts[1])" }
        return identifier
    }
}

/// What a member's WAL says of prepared transactions up to a cut.
struct PreparedHistory: Sendable {
    /// By key; what is not here left no trace.
    var sides: [String: Reconciliation.Side] = [:]
    /// Whether all WAL was read that could have a trace.
    var isComplete = true

    /// Segments that are read, at most.
    private static let limit = 256

    /// - Parameters:
    ///   - since: no side was prepared before.
    ///   - keys: what is asked for.
    static func read(
        _ keys: Set<String>, since: Timestamp, to cut: LSN, on timeline: TimelineID, of instance: Instance,
        _ inventory: Inventory, _ key: (String) -> String
    ) async throws -> PreparedHistory {
        let map = ArchiveMap(try await inventory.catalog(of: instance))
        let reader = EngineWALReader(
            engine: try inventory.engine(of: instance.name), context: try inventory.readingContext(of: instance),
            tail: [:])
        guard let history = map.history(of: timeline), cut > .zero else {
            return PreparedHistory(sides: [:], isComplete: false)
        }
        // Backwards, to the first segment that ends before anything could have been prepared.
        var found: [(name: WALSegmentName, next: WALSegmentName?)] = []
        var number = (cut.rawValue - 1) / map.segmentSize
        var next: WALSegmentName?
        var isComplete = false
        while found.count < limit {
            let start = LSN(number * map.segmentSize)
            let owner = history.path.last { $0.start <= start }?.timeline ?? timeline
            guard let segment = map.segment(number, on: owner) else { break }
            found.append((segment.name, next))
            let summary =
                if let known = segment.summary { known } else { try await reader.summary(of: segment.name, next: nil) }
            if let latest = summary.latestTime, latest < since {
                isComplete = true
                break
            }
            guard number > 0 else {
                isComplete = true
                break
            }
            next = segment.name
            number -= 1
        }
        var names: [UInt32: String] = [:]
        var result = PreparedHistory(sides: [:], isComplete: isComplete)
        for (name, next) in found.reversed() {
            for event in try await reader.events(in: name, next: next) where event.end <= cut {
                switch event.kind {
                case .prepared(let xid, let identifier, _):
                    let key = key(identifier)
                    guard keys.contains(key) else { continue }
                    names[xid] = key
                    result.sides[key] = .prepared
                case .transactionEnd(let xid, _, let isCommit, true):
                    if let key = names[xid] { result.sides[key] = isCommit ? .committed : .rolledBack }
                default: continue
                }
            }
        }
        return result
    }

    func side(_ key: String) -> Reconciliation.Side {
        sides[key] ?? (isComplete ? .absent : .unknown)
    }
}

/// Finishes, on the promoted members of a set, what was prepared at the cut.
struct Reconcile: StepPerformer {
    /// What became of one transaction, as evidence.
    struct Finding: Hashable, Sendable, Codable {
        var transaction: String
        var sides: [String: Reconciliation.Side]
        var decision: Reconciliation.Decision
    }

    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let plan = context.plan.set else { throw FleetError(.drifted, "the plan has no restore set") }
        let set = try RestoreSet(plan.name, in: context.inventory)
        let pattern = try set.identifierPattern()
        var prepared: [String: [PreparedTransaction]] = [:]
        var endpoints: [String: Endpoint] = [:]
        for member in set.members {
            let endpoint = try await context.endpoint(of: member.name)
            endpoints[member.name] = endpoint
            prepared[member.name] = try await context.servers.preparedTransactions(endpoint, deadline: .seconds(30))
        }
        let all = prepared.values.flatMap { $0 }
        guard let earliest = all.map(\.preparedAt).min() else { return ["transactions": .array([])] }
        let keys = Set(all.map { Reconciliation.key($0.identifier, pattern) })
        var histories: [String: PreparedHistory] = [:]
        for member in set.members {
            let mark = plan.mark?.members.first { $0.instance == member.name }
            let target = context.plan.member(member.name)?.target
            guard let cut = mark?.lsn ?? target?.stopLSN, let timeline = mark?.timeline ?? target?.timeline else {
                continue
            }
            // Clocks differ; what is prepared elsewhere was not prepared long before.
            histories[member.name] = try await PreparedHistory.read(
                keys, since: earliest - .seconds(600), to: cut, on: timeline, of: member.instance,
                context.inventory
            ) { Reconciliation.key($0, pattern) }
        }
        var findings: [Finding] = []
        for key in keys.sorted() {
            var sides: [String: Reconciliation.Side] = [:]
            for member in set.members {
                let isPrepared = prepared[member.name]?.contains { Reconciliation.key($0.identifier, pattern) == key }
                sides[member.name] = isPrepared == true ? .prepared : histories[member.name]?.side(key) ?? .unknown
            }
            let decision = Reconciliation.decide(Array(sides.values))
            findings.append(Finding(transaction: key, sides: sides, decision: decision))
            try await carryOut(decision, key, prepared, endpoints, pattern, context)
        }
        return ["transactions": .array(try findings.map { try CanonicalJSON.value($0) })]
    }

    private func carryOut(
        _ decision: Reconciliation.Decision, _ key: String, _ prepared: [String: [PreparedTransaction]],
        _ endpoints: [String: Endpoint], _ pattern: Regex<AnyRegexOutput>?, _ context: StepContext
    ) async throws {
        switch decision {
        case .broken:
            return await context.note(
                "the transaction \(key) is committed on one member and not there on another: it must be compensated")
        case .undecided:
            return await context.note(
                "nobody can tell what became of the transaction \(key): it stays prepared, for its manager to finish")
        case .commit, .rollBack: break
        }
        for (member, transactions) in prepared.sorted(by: { $0.key < $1.key }) {
            guard let endpoint = endpoints[member] else { continue }
            for transaction in transactions where Reconciliation.key(transaction.identifier, pattern) == key {
                try await context.servers.finish(
                    transaction, commits: decision == .commit, at: endpoint, deadline: .seconds(30))
                await context.note(
                    "\(decision == .commit ? "committed" : "rolled back") the prepared transaction "
                        + "\(transaction.identifier) of \(member)")
            }
        }
    }
}
