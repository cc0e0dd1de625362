import FleetPluginAPI
import HTTPClient

/// An answer that is no success: `Status` of meta/v1, or what a proxy on the way made of it.
struct KubernetesStatus: Hashable, Sendable {
    var code: Int
    /// A word for programs: `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Expired`.
    var reason: String
    /// For people.
    var message: String
    /// What was wrong with which field; values that a user gave may stand in there.
    var causes: [String]
    /// Which fields were wrong.
    var fields: [String]
    /// Whether it names the object it is about, which it does not where the whole kind is unknown.
    var namesObject: Bool

    init(_ result: HTTPResult) {
        self.init(code: result.status, body: try? KubernetesJSON.decode(result.body, from: ""))
    }

    init(code: Int, body: JSONValue?) {
        let status = body?["kind"]?.string == "Status" ? body : nil
        self.code = status?["code"]?.integer.map { Int(clamping: $0) } ?? code
        reason = status?["reason"]?.string ?? ""
        message = Self.shortened(status?["message"]?.string ?? "HTTP status \(code)")
        let causes = status?["details"]?["causes"]?.array ?? []
        self.causes = Self.unique(
            causes.compactMap { cause in
                cause["message"]?.string.map { (cause["field"]?.string.map { "\($0): " } ?? "") + $0 }
            })
        fields = Self.unique(causes.compactMap { $0["field"]?.string })
        namesObject = status?["details"]?["name"]?.string != nil
    }

    /// 410, or what some servers answer instead for a `continue` or resource version that is too old.
    var isExpired: Bool { code == 410 || reason == "Expired" || reason == "Gone" }

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    private static func shortened(_ text: String) -> String {
        text.utf8.count <= 1000 ? text : String(text.prefix(1000)) + "…"
    }
}

extension KubernetesStatus {
    /// What it means to whoever asked.
    ///
    /// - Parameter isAllowed: whether the server says that permissions do suffice.
    func error(_ access: AccessCheck, _ client: KubernetesClient, isAllowed: Bool = false) -> FleetError {
        let context = client.configuration.contextName
        let user = client.configuration.credentials.name
        let what = "\(context): cannot \(access)"
        switch code {
        case 401:
            return FleetError(
                .denied, "\(context): the API server does not accept the credentials of \(user)", cause: message,
                hint: "check that they have not expired and belong to this cluster")
        case 403 where isAllowed:
            return FleetError(
                .denied, "\(what): a rule or quota of the cluster forbids it", cause: message,
                hint: "the permission itself is there: ask who runs the cluster")
        case 403: return FleetError(.denied, what, cause: message, hint: Self.grant(access, to: user))
        case 404 where namesObject:
            return FleetError(.notFound, "\(what): there is no such object", cause: message)
        case 404:
            return FleetError(
                .unsupported, "\(what): this API server does not serve it", cause: message,
                hint: "install what provides \(access.ruleResource), or check the server's address")
        case 409 where reason == "AlreadyExists":
            return FleetError(.alreadyExists, "\(what): it exists already", cause: message)
        case 409: return FleetError(.conflict, "\(what): it is not as it was expected", cause: message)
        case 410: return FleetError(.unavailable, "\(what): the server has forgotten that version", cause: message)
        case 405, 406, 415:
            return FleetError(.unsupported, "\(what): this API server cannot do that", cause: message)
        case 413: return FleetError(.exhausted, "\(what): the object is too large", cause: message)
        case 400, 422:
            return FleetError(.failed, "\(what): the API server does not accept it", cause: refusal(access))
        case 429: return FleetError(.unavailable, "\(what): the API server asks to come back later", cause: message)
        case 504: return FleetError(.timedOut, "\(what): the API server took too long", cause: message)
        case 500...: return FleetError(.unavailable, "\(what): the API server has a problem", cause: message)
        default: return FleetError(.protocolViolation, "\(what): an answer with HTTP status \(code)", cause: message)
        }
    }

    /// Why an object is not accepted. Servers quote what they were sent, which in a Secret is secret.
    private func refusal(_ access: AccessCheck) -> String {
        guard access.group.isEmpty, access.resource == "secrets" else {
            return causes.isEmpty ? message : Self.shortened(causes.joined(separator: "; "))
        }
        return fields.isEmpty ? reason : "wrong: \(fields.joined(separator: ", "))"
    }

    private static func grant(_ access: AccessCheck, to user: String) -> String {
        let place = access.namespace.map { "in a Role of the namespace \($0)" } ?? "in a ClusterRole"
        return "grant \(user) the verb “\(access.verb)” on the resource “\(access.ruleResource)” of the API group "
            + "“\(access.group)” \(place)"
    }
}
