/// A value to be written as YAML.
public enum YAMLValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case sequence([YAMLValue])
    /// In the order in which it is to be written.
    case mapping([Entry])

    public struct Entry: Hashable, Sendable {
        public var key: String
        public var value: YAMLValue

        public init(_ key: String, _ value: YAMLValue) {
            self.key = key
            self.value = value
        }
    }

    /// The document, in block style with two spaces, ending with a line feed.
    ///
    /// Strings that a reader of YAML 1.1 or 1.2 could take for something else are quoted.
    public var text: String {
        var output = ""
        write(indent: 0, after: "", to: &output)
        return output
    }

    /// - Parameter after: what stands before the value in its line: nothing, `-`, or `key:`.
    private func write(indent: Int, after lead: String, to output: inout String) {
        let isItem = lead == "-"
        switch self {
        case .sequence(let items) where !items.isEmpty:
            if !lead.isEmpty, !isItem { output += "\n" }
            for (index, item) in items.enumerated() {
                output += isItem && index == 0 ? " " : Self.spaces(indent)
                output += "-"
                item.write(indent: indent + 2, after: "-", to: &output)
            }
        case .mapping(let entries) where !entries.isEmpty:
            if !lead.isEmpty, !isItem { output += "\n" }
            for (index, entry) in entries.enumerated() {
                output += isItem && index == 0 ? " " : Self.spaces(indent)
                output += Self.quotedIfNeeded(entry.key) + ":"
                entry.value.write(indent: indent + 2, after: "key:", to: &output)
            }
        default:
            output += (lead.isEmpty ? "" : " ") + scalarText + "\n"
        }
    }

    private var scalarText: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value) where value.isNaN: ".nan"
        case .number(let value) where value.isInfinite: value < 0 ? "-.inf" : ".inf"
        case .number(let value): String(value)
        case .string(let value): Self.quotedIfNeeded(value)
        case .sequence: "[]"
        case .mapping: "{}"
        }
    }

    private static func spaces(_ count: Int) -> String {
        String(repeating: " ", count: count)
    }
}

extension YAMLValue {
    /// A string as a scalar: plain where no reader can misread it, otherwise in double quotes.
    static func quotedIfNeeded(_ text: String) -> String {
        let isWord = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        if isWord, let first = text.unicodeScalars.first, first.properties.isAlphabetic || first == "/" {
            let scalar = YAMLScalar(text, style: .plain, tag: CoreSchema.tag(ofPlain: text))
            if scalar.tag == .string, scalar.legacyBool == nil { return text }
        }
        return text.unicodeScalars.reduce(into: "\"") { $0 += escaped($1) } + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}": hexadecimal("x", 2, scalar)
        // Line breaks, the byte order mark and what is no character.
        case "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}": hexadecimal("u", 4, scalar)
        default: String(scalar)
        }
    }

    private static func hexadecimal(_ letter: String, _ width: Int, _ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\\(letter)" + String(repeating: "0", count: width - digits.count) + digits
    }
}
