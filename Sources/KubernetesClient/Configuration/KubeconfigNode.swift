import FleetPluginAPI
import FoundationEssentials
import YAML

/// A mapping of a kubeconfig that knows where it stands. Errors name file, line and field, and never a value.
struct KubeconfigNode {
    var node: YAMLNode
    /// Absolute.
    var file: String
    /// `users[admin].exec`
    var field: String

    func error(_ message: String, at place: YAMLNode? = nil, hint: String? = nil) -> FleetError {
        FleetError(.configuration, "\(file):\((place ?? node).start): \(message)", hint: hint)
    }

    func name(of key: String) -> String { field.isEmpty ? key : "\(field).\(key)" }

    /// The value of a member; nil where it is absent or null.
    func member(_ key: String) -> YAMLNode? {
        guard let value = node[key], !value.isNull else { return nil }
        return value
    }

    /// Nil where it is absent or empty, which kubectl takes for the same.
    func string(_ key: String) throws -> String? {
        guard let value = member(key) else { return nil }
        guard let scalar = value.scalar else { throw error("\(name(of: key)) must be text", at: value) }
        return scalar.text.isEmpty ? nil : scalar.text
    }

    func bool(_ key: String) throws -> Bool {
        guard let value = member(key) else { return false }
        guard let flag = value.scalar?.bool else { throw error("\(name(of: key)) must be true or false", at: value) }
        return flag
    }

    /// A path; relative ones are taken from the folder of the file in which they stand.
    func path(_ key: String) throws -> String? {
        guard let path = try string(key) else { return nil }
        return path.hasPrefix("/") ? path : KubeconfigFile.directory(of: file) + "/" + path
    }

    /// Base64.
    func data(_ key: String) throws -> [UInt8]? {
        guard let text = try string(key) else { return nil }
        guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
            throw error("\(name(of: key)) is not base64", at: member(key))
        }
        return [UInt8](data)
    }

    func strings(_ key: String) throws -> [String] {
        guard let value = member(key) else { return [] }
        guard let items = value.sequence else { throw error("\(name(of: key)) must be a list", at: value) }
        return try items.map { item in
            guard let scalar = item.scalar else { throw error("\(name(of: key)) must be a list of texts", at: item) }
            return scalar.text
        }
    }

    func child(_ key: String) throws -> KubeconfigNode? {
        guard let value = member(key) else { return nil }
        guard value.mapping != nil else { throw error("\(name(of: key)) must be a mapping", at: value) }
        return KubeconfigNode(node: value, file: file, field: name(of: key))
    }

    func children(_ key: String) throws -> [KubeconfigNode] {
        guard let value = member(key) else { return [] }
        guard let items = value.sequence else { throw error("\(name(of: key)) must be a list", at: value) }
        return try items.enumerated().map { index, item in
            guard item.mapping != nil else { throw error("\(name(of: key))[\(index)] must be a mapping", at: item) }
            return KubeconfigNode(node: item, file: file, field: "\(name(of: key))[\(index)]")
        }
    }
}
