import FleetPluginAPI

/// A place in a JSON document (RFC 6901): `/status/checks/0/ok`.
struct JSONPointer: Sendable {
    private let tokens: [String]

    /// Nil for what does not begin with a slash, or has a tilde that escapes nothing.
    init?(_ text: String) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// Nil when nothing is there.
    func value(in document: JSONValue) -> JSONValue? {
        tokens.reduce(document) { (value: JSONValue?, token) in
            switch value {
            case .object(let members): return members[token]
            case .array(let elements):
                let isIndex =
                    token == "0" || (token.first != "0" && token.utf8.allSatisfy { (0x30...0x39).contains($0) })
                guard isIndex, let index = Int(token), elements.indices.contains(index) else { return nil }
                return elements[index]
            default: return nil
            }
        }
    }

    private static func unescaped(_ part: Substring) -> String? {
        var token = ""
        var rest = part
        while let character = rest.popFirst() {
            guard character == "~" else {
                token.append(character)
                continue
            }
            switch rest.popFirst() {
            case "0": token.append("~")
            case "1": token.append("/")
            default: return nil
            }
        }
        return token
    }
}
