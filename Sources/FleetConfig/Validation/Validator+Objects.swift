internal import FleetPluginAPI
internal import YAML

extension Validator {
    mutating func object(_ node: YAMLNode, _ shape: ObjectShape, _ place: Place) -> JSONValue? {
        if node.isNull { return object([], shape, place) }
        guard let pairs = keyed(node, place, hint: shape.keysHint()) else { return nil }
        return object(pairs, shape, place)
    }

    /// - Parameter known: keys that are no fields and have been seen to already.
    mutating func object(
        _ pairs: [(String, YAMLPair)], _ shape: ObjectShape, _ place: Place, known: [String] = []
    ) -> JSONValue {
        var values: [String: JSONValue] = [:]
        let fields = Dictionary(shape.fields.map { ($0.name, $0) }) { first, _ in first }
        let given = Dictionary(pairs.map { ($0.0, $0.1) }) { first, _ in first }
        for (name, pair) in pairs where !known.contains(name) {
            let place = place.key(name, at: pair.key.start)
            guard let field = fields[name] else {
                if shape.allowsExtensions, name.hasPrefix("x-") {
                    inspect(pair.value, place.path)
                } else {
                    reportUnknown(name, in: shape, known, place)
                    inspect(pair.value, place.path)
                }
                continue
            }
            values[name] = field.isPlatform ? nil : validate(pair.value, field.shape, place)
        }
        for field in shape.fields where given[field.name] == nil {
            if field.isRequired {
                report(place.key(field.name), "\(field.name) is missing", missingHint(field))
            } else if let value = field.defaultValue, !field.isPlatform {
                values[field.name] = filledIn(value, field.shape, place.key(field.name))
            }
        }
        if let field = shape.fields.first(where: \.isPlatform) {
            values[field.name] = instancePlatform(given, place, of: field.name)
        }
        checkExclusive(shape, given, place)
        return .object(values)
    }

    private mutating func checkExclusive(_ shape: ObjectShape, _ given: [String: YAMLPair], _ place: Place) {
        let names = shape.exclusive.filter { given[$0] != nil }.sorted {
            (given[$0]?.key.start ?? .start) < (given[$1]?.key.start ?? .start)
        }
        if !shape.asksForOneOf.isEmpty, shape.asksForOneOf.allSatisfy({ given[$0] == nil }) {
            let words = shape.asksForOneOf.joined(separator: " or ")
            report(place, "\(shape.noun) needs \(words)")
        }
        guard names.count > 1, let second = given[names[1]] else { return }
        report(place.key(names[1], at: second.key.start), "\(names.joined(separator: " and ")) exclude each other")
    }

    private mutating func filledIn(_ value: JSONValue, _ shape: Shape, _ place: Place) -> JSONValue? {
        switch shape {
        case .path: value.string.flatMap { try? paths.absolute($0).get() }.map { .string($0) }
        case .object(let object): self.object([], object, place)
        default: value
        }
    }

    private func missingHint(_ field: ObjectShape.Field) -> String {
        if case .constant(let text) = field.shape { return "write \(field.name): \(text)" }
        return field.help
    }

    private mutating func reportUnknown(_ name: String, in shape: ObjectShape, _ known: [String], _ place: Place) {
        guard !isFull else { return report(place, "unknown key") }
        let here = shape.keys(known)
        let hint: String
        if let nearest = Suggestion.nearest(to: name, among: here) {
            hint = "did you mean \(nearest)?"
        } else if let home = FleetSchema.home(of: name) ?? plugins.home(of: name) {
            hint = "\(name) belongs to \(home)"
        } else {
            hint = shape.keysHint(known)
        }
        report(place, "unknown key \(shortened(name))", hint)
    }
}

extension ObjectShape {
    fileprivate func keys(_ more: [String]) -> [String] {
        more + fields.filter { !$0.isUnsupported }.map(\.name)
    }

    fileprivate func keysHint(_ more: [String] = []) -> String {
        let keys = keys(more)
        return keys.isEmpty ? "\(noun) has no keys" : "\(noun) has: \(keys.joined(separator: ", "))"
    }
}

extension ObjectShape.Field {
    var isPlatform: Bool {
        if case .instancePlatform = shape { true } else { false }
    }

    var isUnsupported: Bool {
        if case .unsupported = shape { true } else { false }
    }
}

extension FleetSchema {
    /// What a key belongs to that was found where it does not belong: `a policy`.
    static func home(of name: String) -> String? {
        let shapes = [
            root, cluster, repository, encryption, policy, schedule, retention, drill, instance, connection, check,
            application, restoreSet, rollout, stage, alerts,
        ]
        let homes = shapes.filter { shape in shape.fields.contains { $0.name == name } }
        guard homes.count == 1 else { return nil }
        return homes.first.map { $0.noun == "fleet.yaml" ? "the top level" : $0.noun }
    }
}
