import FleetPluginAPI

/// JSON (RFC 8259) straight into `JSONValue`.
///
/// Foundation's decoder tries one type after the other for each value, and takes some twenty-five times as long. Whole numbers that fit are integers; of members with the same name the last one counts.
struct JSONParser {
    struct Malformed: Error {}

    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0
    private var depth = 0

    /// Deeper nesting is refused: the parser calls itself.
    private static let depthLimit = 256

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    static func parse(_ bytes: [UInt8]) throws -> JSONValue {
        try bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(buffer)
            let value = try parser.value()
            parser.skipBlanks()
            guard parser.place == buffer.count else { throw Malformed() }
            return value
        }
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    /// Whether the next byte that is no blank is this one; then it is passed.
    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard next.map(UInt32.init) == byte.value else { return false }
        place += 1
        return true
    }

    private mutating func value() throws -> JSONValue {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try nested { try $0.object() }
        case UInt8(ascii: "["): return try nested { try $0.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested(_ read: (inout JSONParser) throws -> JSONValue) throws -> JSONValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw Malformed() }
        place += 1
        return try read(&self)
    }

    private mutating func object() throws -> JSONValue {
        var members: [String: JSONValue] = [:]
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw Malformed() }
            let name = try string()
            guard take(":") else { throw Malformed() }
            members[name] = try value()
        } while take(",")
        guard take("}") else { throw Malformed() }
        return .object(members)
    }

    private mutating func array() throws -> JSONValue {
        var items: [JSONValue] = []
        if take("]") { return .array(items) }
        repeat { items.append(try value()) } while take(",")
        guard take("]") else { throw Malformed() }
        return .array(items)
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        for offset in 0..<text.utf8CodeUnitCount {
            guard next == text.utf8Start[offset] else { throw Malformed() }
            place += 1
        }
        return value
    }

    private mutating func number() throws -> JSONValue {
        let start = place
        if next == UInt8(ascii: "-") { place += 1 }
        let first = place
        guard skipDigits() else { throw Malformed() }
        guard bytes[first] != UInt8(ascii: "0") || place == first + 1 else { throw Malformed() }
        var isWhole = true
        if next == UInt8(ascii: ".") {
            isWhole = false
            place += 1
            guard skipDigits() else { throw Malformed() }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isWhole = false
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            guard skipDigits() else { throw Malformed() }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw Malformed() }
        return .number(number)
    }

    private mutating func skipDigits() -> Bool {
        let start = place
        while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
        return place > start
    }

    private mutating func string() throws -> String {
        place += 1
        let start = place
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
        if next == UInt8(ascii: "\"") {
            defer { place += 1 }
            return try Self.text(bytes[start..<place])
        }
        var text = Array(bytes[start..<place])
        while let byte = next, byte != UInt8(ascii: "\"") {
            place += 1
            guard byte >= 0x20 else { throw Malformed() }
            if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
        }
        guard next != nil else { throw Malformed() }
        place += 1
        return try Self.text(text[...])
    }

    private static func text(_ bytes: some Collection<UInt8>) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed() }
        return text
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = next else { throw Malformed() }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard next == UInt8(ascii: "\\"), place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "u") else {
                    throw Malformed()
                }
                place += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw Malformed() }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw Malformed() }
            text += Array(String(Character(scalar)).utf8)
        default: throw Malformed()
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        guard place + 4 <= bytes.count else { throw Malformed() }
        defer { place += 4 }
        var code: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: code = code << 4 | UInt32(byte - 0x57)
            default: throw Malformed()
            }
        }
        return code
    }
}
