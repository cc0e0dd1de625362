/// One line of a configuration file, taken apart as PostgreSQL's lexer does.
enum ConfigurationLine {
    static func parse(_ bytes: [UInt8]) -> ConfigurationFile.Content {
        var rest = bytes[...].trimmed
        guard let first = rest.first else { return .blank }
        guard first != UInt8(ascii: "#") else { return .comment(String(decoding: rest, as: UTF8.self)) }
        let name = rest.prefix(while: isNameByte)
        guard isLetter(first),
            name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy({
                $0.first.map(isLetter) ?? false
            })
        else { return .malformed }
        rest = rest.dropFirst(name.count)
        let separator = rest.prefix(while: isBlank)
        rest = rest.dropFirst(separator.count)
        if rest.first == UInt8(ascii: "=") {
            rest = rest.dropFirst().drop(while: isBlank)
        }
        guard let (value, end) = value(&rest), end else { return .malformed }
        return .setting(name: String(decoding: name, as: UTF8.self), value: value)
    }

    /// The value, and whether nothing but a comment follows it.
    private static func value(_ rest: inout ArraySlice<UInt8>) -> (String, Bool)? {
        let content: [UInt8]
        if rest.first == UInt8(ascii: "'") {
            rest = rest.dropFirst()
            guard let quoted = quoted(&rest) else { return nil }
            content = quoted
        } else {
            let word = rest.prefix { isNameByte($0) || unquotedBytes.contains($0) }
            guard !word.isEmpty else { return nil }
            content = Array(word)
            rest = rest.dropFirst(word.count)
        }
        rest = rest.drop(while: isBlank)
        return (String(decoding: content, as: UTF8.self), rest.isEmpty || rest.first == UInt8(ascii: "#"))
    }

    /// What stands before the closing quote, `''` and backslash escapes resolved; nil when the quote is not closed.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var content: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "'"):
                guard rest.first == UInt8(ascii: "'") else { return content }
                rest = rest.dropFirst()
                content.append(byte)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                content.append(unescaped(escaped, &rest))
            default: content.append(byte)
            }
        }
        return nil
    }

    private static func unescaped(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8 {
        switch byte {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case 0x30...0x37:
            var value = Int(byte - 0x30)
            for _ in 0..<2 {
                guard let digit = rest.first, (0x30...0x37).contains(digit) else { break }
                value = value << 3 + Int(digit - 0x30)
                rest = rest.dropFirst()
            }
            return UInt8(truncatingIfNeeded: value)
        default: return byte
        }
    }

    private static let unquotedBytes = Set("-+.:/".utf8)

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    /// Bytes above 127 are letters to PostgreSQL's lexer.
    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x5F, 0x80...0xFF: true
        default: false
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "$") || byte == UInt8(ascii: ".")
    }
}

extension ArraySlice<UInt8> {
    /// Without white space and line breaks at either end.
    fileprivate var trimmed: ArraySlice<UInt8> {
        var rest = drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        while let last = rest.last, last == 0x20 || last == 0x09 || last == 0x0D || last == 0x0A { rest.removeLast() }
        return rest
    }
}
