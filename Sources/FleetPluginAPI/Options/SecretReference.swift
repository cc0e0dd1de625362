/// Where a secret is to be found; never the secret itself.
public enum SecretReference: Hashable, Sendable {
    /// An environment variable of the process that needs the secret.
    case environment(String)
    /// A file, absolute path; a trailing newline is not part of the secret.
    case file(String)
    /// What a program prints, such as one that asks a key management service; a trailing newline is not part of the
    /// secret. The program first, then its arguments.
    case command([String])
}

extension SecretReference: CustomStringConvertible {
    public var description: String {
        switch self {
        case .environment(let name): "env:\(name)"
        case .file(let path): "file:\(path)"
        case .command(let words): "command:\(words.first ?? "")"
        }
    }
}

extension SecretReference: Codable {
    private enum CodingKeys: String, CodingKey { case env, file, command }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let name = try container.decodeIfPresent(String.self, forKey: .env) {
            self = .environment(name)
        } else if let words = try container.decodeIfPresent([String].self, forKey: .command) {
            self = .command(words)
        } else {
            self = .file(try container.decode(String.self, forKey: .file))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .environment(let name): try container.encode(name, forKey: .env)
        case .file(let path): try container.encode(path, forKey: .file)
        case .command(let words): try container.encode(words, forKey: .command)
        }
    }
}

/// What opens an encrypted repository.
public enum RepositorySecret: Hashable, Sendable {
    /// A text that people may have made up: deriving a key from it is slow on purpose.
    case passphrase(SecretReference)
    /// 32 random bytes in base64 or hexadecimal, such as a key management service hands out.
    case key(SecretReference)

    public var reference: SecretReference {
        switch self {
        case .passphrase(let reference), .key(let reference): reference
        }
    }
}

/// A secret's value. Prints as `<secret>` wherever it is interpolated, dumped or mirrored; cannot be encoded.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    public init(_ value: String) {
        self.value = value
    }

    /// The value, lent for one use. Do not store or log it.
    public func reveal<Result>(_ use: (String) throws -> Result) rethrows -> Result {
        try use(value)
    }

    public var description: String { "<secret>" }
    public var debugDescription: String { "<secret>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
