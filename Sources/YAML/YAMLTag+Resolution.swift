extension YAMLTag {
    private static let prefix = "tag:yaml.org,2002:"

    /// The tag of a scalar: by its explicit tag, or by the core schema.
    init(
        scalar text: String, _ style: YAMLScalar.Style, isImplicit: Bool, _ explicit: String?, at mark: YAMLMark
    ) throws(YAMLError) {
        guard let explicit else {
            self = style == .plain && isImplicit ? CoreSchema.tag(ofPlain: text) : .string
            return
        }
        // `! text` is a string although it is plain.
        self = explicit == "!" ? .string : Self(explicit: explicit)
        guard CoreSchema.allows(text, as: self) else {
            throw YAMLError(
                .tag, "the value is not what its tag !!\(explicit.dropFirst(Self.prefix.count)) says", at: mark)
        }
    }

    /// The tag of a sequence or mapping, whichever `kind` says.
    init(collection explicit: String?, _ kind: YAMLTag, at mark: YAMLMark) throws(YAMLError) {
        guard let explicit, explicit != "!" else {
            self = kind
            return
        }
        self = Self(explicit: explicit)
        if case .other = self { return }
        guard self == kind else {
            throw YAMLError(
                .tag, "the value is not what its tag !!\(explicit.dropFirst(Self.prefix.count)) says", at: mark)
        }
    }

    private init(explicit: String) {
        self =
            switch explicit {
            case Self.prefix + "null": .null
            case Self.prefix + "bool": .bool
            case Self.prefix + "int": .int
            case Self.prefix + "float": .float
            case Self.prefix + "str": .string
            case Self.prefix + "seq": .sequence
            case Self.prefix + "map": .mapping
            default: .other(explicit)
            }
    }
}
