internal import FleetPluginAPI
internal import YAML

extension Validator {
    /// What a place takes, with its article.
    func noun(_ shape: Shape) -> String {
        switch shape {
        case .string, .text, .scalar: "a string"
        case .sql: "an SQL statement"
        case .name: "a name"
        case .path: "a path"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "true or false"
        case .duration: "a duration"
        case .size: "a size"
        case .percent: "a percentage"
        case .secret: "a reference to a secret"
        case .url: "a URL"
        case .cron: "a cron expression"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .constant(let text): text
        case .reference(let section):
            "the name of " + ("aeiou".contains(section.noun.prefix(1)) ? "an " : "a ") + section.noun
        case .list: "a list"
        case .any, .map, .object, .plugin, .instancePlatform, .unsupported: "a mapping"
        }
    }

    /// What stands there instead.
    func found(_ node: YAMLNode) -> String {
        switch node.content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): found(scalar)
        }
    }

    func found(_ scalar: YAMLScalar) -> String {
        // Whatever looks like a secret is not repeated.
        let shown = SecretDetector.carrier(in: scalar.text) == nil ? " \(shortened(scalar.text))" : ""
        return switch scalar.tag {
        case .null: "nothing"
        case .bool: "the boolean" + shown
        case .int: "the integer" + shown
        case .float: "the number" + shown
        default: scalar.text.isEmpty ? "an empty string" : "the string" + shown
        }
    }

    /// Reports a scalar of the wrong kind, with what to write instead.
    mutating func wrong(_ scalar: YAMLScalar, _ shape: Shape, _ place: Place) -> JSONValue? {
        let hint: String? =
            switch shape {
            case .boolean:
                scalar.legacyBool.map { "YAML 1.2 takes \(scalar.text) for text: write \($0)" }
                    ?? (scalar.style.isQuoted && ["true", "false"].contains(scalar.text) ? "remove the quotes" : nil)
            case .integer, .number:
                scalar.style.isQuoted && Double(scalar.text) != nil ? "remove the quotes" : nil
            default: scalar.style == .plain ? "put it in quotes: \"\(shortened(scalar.text))\"" : nil
            }
        report(place, "expected \(noun(shape)), found \(found(scalar))", hint)
        return nil
    }

    func example(of shape: Shape) -> String {
        switch shape {
        case .reference(let section): declared[section]?.first.map { shortened($0) } ?? "name"
        case .plugin(let role): "{plugin: \(plugins.names(role).first ?? "name")}"
        case .object, .any, .map: "{…}"
        default: "…"
        }
    }
}
