/// A scalar: text, and how it was written.
public struct YAMLScalar: Hashable, Sendable {
    public enum Style: Hashable, Sendable {
        case plain, singleQuoted, doubleQuoted, literal, folded

        public var isQuoted: Bool { self == .singleQuoted || self == .doubleQuoted }
    }

    /// The content, escapes and folding resolved. Can hold NUL when a double-quoted scalar says `\0`.
    public let text: String
    public let style: Style
    public let tag: YAMLTag

    public init(_ text: String, style: Style, tag: YAMLTag) {
        self.text = text
        self.style = style
        self.tag = tag
    }

    /// nil unless the tag is `bool`.
    public var bool: Bool? {
        tag == .bool ? text.utf8.first == UInt8(ascii: "t") || text.utf8.first == UInt8(ascii: "T") : nil
    }

    /// nil unless the tag is `int` and the value fits.
    public var integer: Int64? {
        tag == .int ? CoreSchema.integer(text) : nil
    }

    /// nil unless the tag is `float` or `int`.
    public var number: Double? {
        tag == .float || tag == .int ? CoreSchema.number(text) : nil
    }

    /// What YAML 1.1 would have read where YAML 1.2 reads a string: `yes`, `No`, `on`, `OFF`, `y`, `n`, not quoted.
    public var legacyBool: Bool? {
        guard style == .plain, tag == .string else { return nil }
        switch text {
        case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": return true
        case "n", "N", "no", "No", "NO", "off", "Off", "OFF": return false
        default: return nil
        }
    }
}
