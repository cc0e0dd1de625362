public import FleetPluginAPI

/// A change to an object that exists, in one of the forms that API servers take.
public enum KubernetesPatch: Hashable, Sendable {
    /// RFC 6902: all operations or none.
    case json([JSONPatchOperation])
    /// RFC 7396: null removes a member; arrays are replaced whole.
    case merge(JSONValue)
    /// Arrays merged by their keys; built-in kinds only.
    case strategicMerge(JSONValue)
    /// Server-side apply: what the manager owns becomes exactly this. Creates what is absent. The value needs its
    /// `apiVersion`, `kind` and `metadata.name`.
    case apply(JSONValue, manager: String, force: Bool)

    var contentType: String {
        switch self {
        case .json: "application/json-patch+json"
        case .merge: "application/merge-patch+json"
        case .strategicMerge: "application/strategic-merge-patch+json"
        case .apply: "application/apply-patch+yaml"
        }
    }

    /// JSON is YAML, so that apply takes it too.
    var body: JSONValue {
        switch self {
        case .json(let operations): .array(operations.map(\.value))
        case .merge(let value), .strategicMerge(let value), .apply(let value, _, _): value
        }
    }

    var hasTests: Bool {
        guard case .json(let operations) = self else { return false }
        return operations.contains { if case .test = $0 { true } else { false } }
    }

    /// Whether sending it twice does what sending it once does.
    var isIdempotent: Bool {
        switch self {
        // `add` appends to arrays, and a `test` of what was changed fails the second time.
        case .json: false
        case .merge(let value), .strategicMerge(let value): value.resourceVersion == nil
        case .apply: true
        }
    }
}

/// An operation of RFC 6902. Paths are JSON pointers: see `pointer`.
public enum JSONPatchOperation: Hashable, Sendable {
    /// Nothing is changed unless this is the value now.
    case test(String, JSONValue)
    case add(String, JSONValue)
    case replace(String, JSONValue)
    case remove(String)

    /// A JSON pointer (RFC 6901) with `~` and `/` of each part escaped.
    public static func pointer(_ parts: String...) -> String {
        parts.reduce(into: "") { text, part in
            text += "/"
            for character in part.unicodeScalars {
                switch character {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(character)
                }
            }
        }
    }

    var value: JSONValue {
        switch self {
        case .test(let path, let value): ["op": "test", "path": .string(path), "value": value]
        case .add(let path, let value): ["op": "add", "path": .string(path), "value": value]
        case .replace(let path, let value): ["op": "replace", "path": .string(path), "value": value]
        case .remove(let path): ["op": "remove", "path": .string(path)]
        }
    }
}
