/// How plain scalars become null, booleans and numbers: YAML 1.2.2, chapter 10.3, core schema.
enum CoreSchema {
    static func tag(ofPlain text: String) -> YAMLTag {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "false", "False", "FALSE": return .bool
        default:
            // Most scalars are words: do not look at them twice.
            guard let first = text.utf8.first, first <= UInt8(ascii: "9") else { return .string }
            return isInteger(text) ? .int : isFloat(text) ? .float : .string
        }
    }

    /// Whether text under an explicit tag is one of its values.
    static func allows(_ text: String, as tag: YAMLTag) -> Bool {
        switch tag {
        case .null, .bool, .int: self.tag(ofPlain: text) == tag
        case .float: isFloat(text) || isInteger(text)
        case .string, .other: true
        case .sequence, .mapping: false
        }
    }

    static func integer(_ text: String) -> Int64? {
        let (radix, digits) = radixAndDigits(text)
        return Int64(digits, radix: radix)
    }

    static func number(_ text: String) -> Double? {
        switch text.lowercased() {
        case ".inf", "+.inf": return .infinity
        case "-.inf": return -.infinity
        case ".nan": return .nan
        default: break
        }
        let (radix, digits) = radixAndDigits(text)
        if radix != 10 { return Int64(digits, radix: radix).map(Double.init) }
        return Double(text)
    }

    private static func radixAndDigits(_ text: String) -> (Int, Substring) {
        text.hasPrefix("0x") ? (16, text.dropFirst(2)) : text.hasPrefix("0o") ? (8, text.dropFirst(2)) : (10, text[...])
    }

    private static func isInteger(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.starts(with: "0x".utf8) {
            rest = rest.dropFirst(2)
            return !rest.isEmpty && rest.allSatisfy(\.isHexDigit)
        }
        if rest.starts(with: "0o".utf8) {
            rest = rest.dropFirst(2)
            return !rest.isEmpty && rest.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        }
        rest.dropSign()
        return !rest.isEmpty && rest.allSatisfy(\.isDigit)
    }

    private static func isFloat(_ text: String) -> Bool {
        var rest = text.utf8[...]
        rest.dropSign()
        switch Substring(rest) {
        case ".inf", ".Inf", ".INF": return true
        case ".nan", ".NaN", ".NAN": return text.utf8.first == UInt8(ascii: ".")
        default: break
        }
        var digits = rest.dropDigits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            digits += rest.dropDigits()
        }
        guard digits > 0 else { return false }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            rest.dropSign()
            guard rest.dropDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isHexDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self | 0x20) }
}

extension Substring.UTF8View {
    fileprivate mutating func dropSign() {
        if first == UInt8(ascii: "+") || first == UInt8(ascii: "-") { self = dropFirst() }
    }

    /// How many there were.
    fileprivate mutating func dropDigits() -> Int {
        let rest = drop(while: \.isDigit)
        defer { self = rest }
        return count - rest.count
    }
}
