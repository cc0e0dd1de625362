/// Why a document was refused, and where.
public struct YAMLError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Not UTF-8, or a character that YAML does not allow.
        case encoding
        case syntax
        /// One of `YAMLLimits`.
        case limit
        /// An alias without an anchor, or inside what it stands for.
        case alias
        /// A merge key over something that is no mapping.
        case merge
        /// A value that is not what its explicit tag says.
        case tag
        case secondDocument
    }

    public let kind: Kind
    /// What is wrong, without a full stop at its end. Holds no text of the document but names of anchors and tags.
    public let message: String
    public let mark: YAMLMark
    /// What to do about it.
    public let hint: String?

    public init(_ kind: Kind, _ message: String, at mark: YAMLMark, hint: String? = nil) {
        self.kind = kind
        self.message = message
        self.mark = mark
        self.hint = hint
    }
}

extension YAMLError: CustomStringConvertible {
    public var description: String {
        "\(mark): \(message)" + (hint.map { " (\($0))" } ?? "")
    }
}
