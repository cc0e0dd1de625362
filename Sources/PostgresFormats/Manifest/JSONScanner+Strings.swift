extension JSONScanner {
    /// A string, its escapes resolved.
    mutating func string() throws(Failure) -> String {
        try expect("\"")
        let start = offset
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let text = try text(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
                offset += 1
                return text
            case UInt8(ascii: "\\"):
                offset = start
                return try escapedString()
            case ..<0x20: throw failure("control character in a string")
            default: offset &+= 1
            }
        }
        throw failure("string without an end")
    }

    private func text(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("string that is not UTF-8") }
        return text
    }

    private mutating func escapedString() throws(Failure) -> String {
        var content: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw failure("string that is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): content += try escape()
            case ..<0x20: throw failure("control character in a string")
            default: content.append(byte)
            }
        }
        throw failure("string without an end")
    }

    /// What stands for the characters behind a backslash, as UTF-8.
    private mutating func escape() throws(Failure) -> [UInt8] {
        guard offset < bytes.count else { throw failure("string without an end") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicode()
        default: throw failure("unknown escape in a string")
        }
    }

    private mutating func unicode() throws(Failure) -> [UInt8] {
        var value = try hexadecimal()
        if (0xD800..<0xDC00).contains(value) {
            guard offset + 2 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
            else { throw failure("half a surrogate pair") }
            offset += 2
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw failure("half a surrogate pair") }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard offset + 4 <= bytes.count,
            let value = Hexadecimal.decode(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + 4]))
        else { throw failure("four hexadecimal digits expected") }
        offset += 4
        return UInt32(value[0]) << 8 | UInt32(value[1])
    }
}
