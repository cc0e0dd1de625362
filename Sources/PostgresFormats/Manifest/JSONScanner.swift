/// Reads JSON from the front, value by value, without building a tree.
///
/// Borrows the buffer: not to outlive the scope that lent it.
struct JSONScanner {
    struct Failure: Error {
        var offset: Int
        var reason: String
    }

    let bytes: UnsafeRawBufferPointer
    var offset = 0
    private static let depthLimit = 32

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    func failure(_ reason: String) -> Failure { Failure(offset: offset, reason: reason) }

    /// The next byte that is not white space, not yet taken; zero at the end.
    private mutating func peek() -> UInt8 {
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            offset &+= 1
        }
        return 0
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard peek() == UInt8(ascii: character) else { throw failure("\(character) expected") }
        offset += 1
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// Reads an object; `member` is called at each value and must read it.
    mutating func object(_ member: (inout JSONScanner, String) throws(Failure) -> Void) throws(Failure) {
        try expect("{")
        guard !take("}") else { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while take(",")
        try expect("}")
    }

    /// Reads an array; `element` is called at each element and must read it.
    mutating func array(_ element: (inout JSONScanner) throws(Failure) -> Void) throws(Failure) {
        try expect("[")
        guard !take("]") else { return }
        repeat { try element(&self) } while take(",")
        try expect("]")
    }

    /// An unsigned integer of 64 bits, without fraction or exponent.
    mutating func unsigned() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        let first = peek()
        let start = offset
        guard (0x30...0x39).contains(first) else { throw failure("number expected") }
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) = product.addingReportingOverflow(UInt64(bytes[offset] - 0x30))
            guard !overflow, !overflowed, start == offset || first != 0x30 else { throw failure("number out of range") }
            value = sum
            offset += 1
        }
        guard offset == bytes.count || ![0x2E, 0x45, 0x65].contains(bytes[offset]) else {
            throw failure("whole number expected")
        }
        return value
    }

    /// Passes over a value of any kind.
    mutating func skip(depth: Int = 0) throws(Failure) {
        guard depth < Self.depthLimit else { throw failure("nested more than \(Self.depthLimit) deep") }
        switch peek() {
        case UInt8(ascii: "{"):
            try object { (scanner, _) throws(Failure) in try scanner.skip(depth: depth + 1) }
        case UInt8(ascii: "["):
            try array { (scanner) throws(Failure) in try scanner.skip(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try string()
        default:
            let start = offset
            while offset < bytes.count, Self.isScalar(bytes[offset]) { offset += 1 }
            guard offset > start else { throw failure("value expected") }
        }
    }

    /// Letters, digits, sign and point: numbers, true, false and null.
    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E: true
        default: false
        }
    }

    /// Whether nothing but white space is left.
    mutating func isAtEnd() -> Bool {
        peek() == 0 && offset == bytes.count
    }
}
