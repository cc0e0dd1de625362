import FleetPluginAPI
import KubernetesClient

/// An entry of the option `cronJobs`: a name, or labels.
enum CronJobWish: Hashable, Sendable {
    case name(String)
    case labels(LabelSelector)

    /// `nightly`, `app=backend`, `app=backend,tier!=cache`, `!manual`, `app`… with a comma.
    ///
    /// - Throws: `configuration`.
    init(_ text: String) throws(FleetError) {
        guard text.contains(where: { "=!,".contains($0) }) else {
            self = .name(text)
            return
        }
        var labels: [String: JSONValue] = [:]
        var expressions: [JSONValue] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let term = part.filter { $0 != " " }
            let isNegated = term.contains("!=")
            let sides = term.replacing("!=", with: "=").replacing("==", with: "=")
                .split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            switch (sides.count, term.hasPrefix("!")) {
            case (1, true) where term.count > 1:
                expressions.append(["key": .string(String(term.dropFirst())), "operator": "DoesNotExist"])
            case (1, false) where !term.isEmpty:
                expressions.append(["key": .string(String(term)), "operator": "Exists"])
            case (2, false) where !sides[0].isEmpty && isNegated:
                expressions.append(
                    ["key": .string(sides[0]), "operator": "NotIn", "values": [.string(sides[1])]])
            case (2, false) where !sides[0].isEmpty && labels[sides[0]] == nil:
                labels[sides[0]] = .string(sides[1])
            default:
                throw FleetError(
                    .configuration, "cronJobs: “\(text)” is neither a name nor a label selector",
                    hint: "write a CronJob's name, or labels such as app=backend,tier!=cache")
            }
        }
        let selector: JSONValue = ["matchLabels": .object(labels), "matchExpressions": .array(expressions)]
        self = .labels(try LabelSelector(selector, of: "cronJobs"))
    }

    func filter(_ objects: [JSONValue]) -> [JSONValue] {
        switch self {
        case .name(let name): objects.filter { $0.objectName == name }
        case .labels(let selector): objects.filter { selector.matches($0.labels) }
        }
    }
}
