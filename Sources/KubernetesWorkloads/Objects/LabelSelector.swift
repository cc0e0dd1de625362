import FleetPluginAPI

/// Which objects belong to a workload, by their labels (`LabelSelector` of meta/v1): all requirements hold.
struct LabelSelector: Hashable, Sendable {
    var requirements: [Requirement]

    enum Requirement: Hashable, Sendable {
        case isOneOf(key: String, values: [String])
        case isNoneOf(key: String, values: [String])
        case exists(key: String)
        case doesNotExist(key: String)
    }

    /// From `spec.selector`.
    ///
    /// - Throws: `protocolViolation` for what no API server accepts: taking part of a selector for the whole would
    ///   count pods of others, or miss some.
    init(_ value: JSONValue?, of owner: String) throws(FleetError) {
        let violation = FleetError(.protocolViolation, "the selector of \(owner) cannot be understood")
        guard case .object(let members)? = value else { throw violation }
        requirements = []
        for (key, value) in members["matchLabels"]?.object ?? [:] {
            guard let text = value.string else { throw violation }
            requirements.append(.isOneOf(key: key, values: [text]))
        }
        for expression in members["matchExpressions"]?.array ?? [] {
            guard let key = expression["key"]?.string else { throw violation }
            let values = (expression["values"]?.array ?? []).compactMap(\.string)
            switch (expression["operator"]?.string, values.isEmpty) {
            case ("In", false): requirements.append(.isOneOf(key: key, values: values.sorted()))
            case ("NotIn", false): requirements.append(.isNoneOf(key: key, values: values.sorted()))
            case ("Exists", true): requirements.append(.exists(key: key))
            case ("DoesNotExist", true): requirements.append(.doesNotExist(key: key))
            default: throw violation
            }
        }
        // An empty selector selects everything, which no workload may have.
        guard !requirements.isEmpty else { throw violation }
        requirements.sort { $0.text < $1.text }
    }

    func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .isOneOf(let key, let values): labels[key].map { values.contains($0) } ?? false
            case .isNoneOf(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .exists(let key): labels[key] != nil
            case .doesNotExist(let key): labels[key] == nil
            }
        }
    }

    /// As list requests take it: `app in (backend),tier!=cache`.
    var text: String { requirements.map(\.text).joined(separator: ",") }
}

extension LabelSelector.Requirement {
    var text: String {
        switch self {
        case .isOneOf(let key, let values) where values.count == 1: "\(key)=\(values[0])"
        case .isOneOf(let key, let values): "\(key) in (\(values.joined(separator: ",")))"
        case .isNoneOf(let key, let values): "\(key) notin (\(values.joined(separator: ",")))"
        case .exists(let key): key
        case .doesNotExist(let key): "!\(key)"
        }
    }
}
