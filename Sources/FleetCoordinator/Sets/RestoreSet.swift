import FleetConfig
import FleetPluginAPI

/// A restore set with its members as they are reached.
struct RestoreSet: Sendable {
    let name: String
    let declared: RestoreSetDeclaration
    let members: [Member]

    struct Member: Sendable {
        var instance: Instance
        var database: String
        var hold: FenceHold?
        var name: String { instance.name }
    }

    /// - Throws: `usage`; `configuration` where the set's own words do not agree with each other.
    init(_ name: String, in inventory: Inventory) throws {
        guard let declared = inventory.configuration.restoreSets[name] else {
            let known = inventory.configuration.restoreSets.keys.sorted()
            throw FleetError(
                .usage, "fleet.yaml declares no restore set \(name)",
                hint: known.isEmpty ? "declare one under restoreSets:" : "it declares: \(known.joined(separator: ", "))"
            )
        }
        self.name = name
        self.declared = declared
        members = try declared.members.map { member in
            Member(
                instance: try inventory.instance(member), database: declared.database(of: member),
                hold: declared.hold(of: member))
        }
        let strangers = Set(declared.databases.keys).union(declared.fence?.tables.keys.map { $0 } ?? [])
            .union(declared.causality.flatMap { [$0.cause, $0.effect] }).union(declared.invariants.flatMap(\.members))
            .subtracting(declared.members).sorted()
        _ = try identifierPattern()
        guard strangers.isEmpty else {
            throw FleetError(
                .configuration, "the restore set \(name) speaks of \(strangers.joined(separator: ", "))",
                cause: "its members are \(declared.members.joined(separator: ", "))",
                hint: "name members only under databases:, fence:, causality: and invariants:")
        }
    }

    /// - Throws: `configuration` when it is no regular expression with a group.
    func identifierPattern() throws -> Regex<AnyRegexOutput>? {
        guard let text = declared.transactions else { return nil }
        do {
            return try Regex(text)
        } catch {
            throw FleetError(
                .configuration, "transactions: of the restore set \(name) is no regular expression", cause: "\(error)",
                hint: "write one with a group, such as ^tx-([0-9]+)-")
        }
    }

    func member(_ name: String) -> Member? { members.first { $0.name == name } }

    /// The members' names so that every effect stands before its causes: marked in this order, no effect is marked
    /// without its cause.
    ///
    /// - Throws: `refused` where causes run in a circle.
    func effectsFirst() throws -> [String] {
        var causes: [String: Set<String>] = [:]
        if declared.causality.isEmpty {
            // Written to in the members' order: each follows from the one before.
            for (cause, effect) in zip(declared.members, declared.members.dropFirst()) { causes[effect] = [cause] }
        } else {
            for edge in declared.causality { causes[edge.effect, default: []].insert(edge.cause) }
        }
        var order: [String] = []
        var left = declared.members
        while !left.isEmpty {
            // Nobody that is left follows from it.
            guard let next = left.last(where: { name in !left.contains { causes[$0]?.contains(name) ?? false } }) else {
                throw FleetError(
                    .refused, "the causality of the restore set \(name) runs in a circle",
                    cause: "among \(left.joined(separator: ", "))",
                    hint: "an ordered mark needs causes that run one way: make a fenced one")
            }
            order.append(next)
            left.removeAll { $0 == next }
        }
        return order
    }
}

extension Invariant {
    /// Members that it asks.
    var members: [String] {
        switch rule {
        case .subset(let keys, let within): [keys.member, within.member]
        case .equal(let queries), .sum(let queries, _): queries.map(\.member)
        case .check(let member, _): [member]
        }
    }
}
