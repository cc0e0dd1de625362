import FleetPluginAPI

/// A header block. POSIX.1-1988 `ustar`, with GNU's base-256 numbers.
struct TarHeader {
    var path: [UInt8]
    var linkTarget: [UInt8]
    var type: UInt8
    var size: UInt64
    var mode: UInt32
    /// Seconds since 1970.
    var modified: UInt64

    /// - Precondition: 512 bytes.
    init(_ block: [UInt8]) throws(FleetError) {
        guard Self.hasValidChecksum(block) else {
            throw TarReader.corrupted("a header has a wrong checksum")
        }
        guard let size = Self.number(block[124..<136]), size <= 1 << 50, let mode = Self.number(block[100..<108]),
            let modified = Self.number(block[136..<148])
        else { throw TarReader.corrupted("a header holds a number that cannot be read") }
        self.size = size
        self.mode = UInt32(truncatingIfNeeded: mode) & 0o7777
        self.modified = modified
        type = block[156]
        path = Self.text(block[0..<100])
        linkTarget = Self.text(block[157..<257])
        let prefix = Self.text(block[345..<500])
        // GNU's older format keeps other things where ustar has the prefix.
        if block[257..<263].elementsEqual(Array("ustar\0".utf8)), !prefix.isEmpty {
            path = prefix + [UInt8(ascii: "/")] + path
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] {
        Array(field.prefix { $0 != 0 })
    }

    /// The sum of all bytes, those of the checksum taken as spaces.
    private static func hasValidChecksum(_ block: [UInt8]) -> Bool {
        guard let expected = number(block[148..<156]) else { return false }
        var sum: UInt64 = 8 * 0x20
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) { sum += UInt64(byte) }
        return sum == expected
    }

    /// Octal digits, ended by a space or zero; or, with the highest bit set, big-endian binary.
    static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
        if field.first == 0x80 {
            let digits = field.dropFirst()
            guard digits.dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            return digits.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        guard digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 << 3 | UInt64($1 - 0x30) }
    }
}
