internal import FleetPluginAPI
internal import YAML

extension Validator {
    /// Reports references to what is not declared.
    mutating func checkReferences() {
        let known = declared.mapValues { Set($0) }
        for reference in references where known[reference.section]?.contains(reference.name) != true {
            guard !isFull else { return report(reference.place, "there is no \(reference.section.noun)") }
            let home = reference.section == .environments ? Section.clusters : reference.section
            let hint = Suggestion.hint(
                for: reference.name, among: declared[reference.section] ?? [],
                none: "none is declared; add it under \(home.rawValue)")
            report(reference.place, "there is no \(reference.section.noun) \(shortened(reference.name))", hint)
        }
    }

    /// Reports instances without repositories whose engine does not keep its own.
    mutating func checkRepositories() {
        for pair in root["instances"]?.mapping ?? [] {
            guard let name = pair.key.scalar?.text, pair.value.mapping != nil, pair.value["repositories"] == nil,
                let engine = pair.value["engine"]?["plugin"]?.scalar?.text,
                let descriptor = plugins[.engine, engine], !descriptor.keepsOwnRepositories
            else { continue }
            report(
                Place(
                    mark: pair.key.start, path: DocumentPath().key("instances").key(name).key("repositories")),
                "repositories is missing", "Where its backups go, in order of preference.")
        }
    }

    /// Reports applications that wait for one another.
    mutating func checkOrder() {
        var waits: [String: [(name: String, mark: YAMLMark)]] = [:]
        for pair in root["applications"]?.mapping ?? [] {
            guard let name = pair.key.scalar?.text, waits[name] == nil else { continue }
            waits[name] = (pair.value["after"]?.sequence ?? []).compactMap { node in
                node.scalar.map { ($0.text, node.start) }
            }
        }
        let waiting = Self.neverReady(waits.mapValues { $0.map(\.name) })
        guard var name = waiting.min() else { return }
        var order: [String] = []
        var position: [String: Int] = [:]
        while let next = waits[name]?.first(where: { waiting.contains($0.name) }) {
            position[name] = order.count
            order.append(name)
            if let start = position[next.name] {
                let circle = (order[start...] + [next.name]).prefix(8).map { shortened($0) }
                let path = DocumentPath().key("applications").key(name).key("after")
                report(
                    Place(mark: next.mark, path: path),
                    "applications wait for one another: \(circle.joined(separator: " after "))")
                return
            }
            name = next.name
        }
    }

    /// Those that stand in a circle, or wait for one that does.
    private static func neverReady(_ waits: [String: [String]]) -> Set<String> {
        var missing: [String: Int] = [:]
        var waitedForBy: [String: [String]] = [:]
        for (name, others) in waits {
            let others = Set(others).filter { waits[$0] != nil }
            missing[name] = others.count
            for other in others { waitedForBy[other, default: []].append(name) }
        }
        var ready = missing.filter { $0.value == 0 }.map(\.key)
        while let name = ready.popLast() {
            missing[name] = nil
            for other in waitedForBy[name] ?? [] {
                missing[other, default: 0] -= 1
                if missing[other] == 0 { ready.append(other) }
            }
        }
        return Set(missing.keys)
    }
}
