import FleetPluginAPI
import HTTPClient

/// One request to an API server, as a value: testable without a server.
struct APIRequest: Sendable {
    /// What is asked, for messages and for what must be granted.
    var access: AccessCheck
    var method: HTTPRequest.Method
    /// Begins with a slash, already escaped.
    var path: String
    var query: [(name: String, value: String)] = []
    var contentType = "application/json"
    var accept = "application/json"
    var body: JSONValue?
    /// Nil: by the method.
    var isIdempotent: Bool?
    /// Nil: the client's.
    var deadline: Duration?

    /// `/apis/apps/v1/namespaces/prod/deployments/backend/scale?fieldManager=fleet`
    var target: String {
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }.joined(separator: "&")
    }

    /// - Throws: `usage` where a namespace is missing.
    init(
        _ verb: String, _ method: HTTPRequest.Method, _ kind: ResourceKind, namespace: String?, name: String? = nil,
        subresource: String? = nil, body: JSONValue? = nil
    ) throws {
        access = AccessCheck(verb, kind, subresource: subresource, namespace: namespace, name: name)
        self.method = method
        self.body = body
        var path = kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
        if kind.isNamespaced, let namespace {
            path += "/namespaces/\(try Self.segment(namespace, of: access))"
        } else if kind.isNamespaced, name != nil || method == .post {
            throw FleetError(.usage, "cannot \(access): no namespace is given")
        }
        path += "/\(kind.plural)"
        if let name { path += "/\(try Self.segment(name, of: access))" }
        if let subresource { path += "/\(subresource)" }
        self.path = path
    }

    /// A request for something that is no object: discovery, a review.
    init(_ access: AccessCheck, _ method: HTTPRequest.Method, path: String, body: JSONValue? = nil) {
        self.access = access
        self.method = method
        self.path = path
        self.body = body
    }

    /// A name as a part of a path. `.` and `..` would be taken for directories on the way.
    private static func segment(_ name: String, of access: AccessCheck) throws -> String {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")) else {
            throw FleetError(.usage, "cannot \(access): “\(name)” is no name of an object")
        }
        return escaped(name)
    }

    /// Percent-encoded but for RFC 3986's unreserved characters.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return escaped
    }
}
