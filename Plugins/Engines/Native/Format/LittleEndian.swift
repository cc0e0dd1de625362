import FleetPluginAPI

extension [UInt8] {
    /// Adds an integer, least significant byte first.
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Adds a byte count and the bytes of an ASCII tag.
    mutating func append(ascii text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

/// Takes integers and byte strings off the front of stored bytes. Running out of bytes is corruption.
struct ByteReader {
    private let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int
    /// What is being read, for errors.
    private let subject: String

    init(_ bytes: [UInt8], _ subject: String, range: Range<Int>? = nil) {
        self.bytes = bytes
        self.subject = subject
        offset = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    var remaining: Int { end - offset }
    var isAtEnd: Bool { offset == end }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(FleetError) -> Value {
        let size = MemoryLayout<Value>.size
        try need(size)
        var value: Value = 0
        for position in (0..<size).reversed() { value = value << 8 | Value(bytes[offset + position]) }
        offset += size
        return value
    }

    mutating func take(_ count: Int) throws(FleetError) -> ArraySlice<UInt8> {
        try need(count)
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    mutating func hash() throws(FleetError) -> ContentHash {
        ContentHash(bytes: try take(ContentHash.byteCount))
    }

    /// Takes a tag that must stand here.
    mutating func expect(_ tag: StaticString) throws(FleetError) {
        let expected = UnsafeBufferPointer(start: tag.utf8Start, count: tag.utf8CodeUnitCount)
        guard try take(tag.utf8CodeUnitCount).elementsEqual(expected) else {
            throw FleetError(.corrupted, "\(subject) is damaged", cause: "the tag \(tag) is missing")
        }
    }

    private func need(_ count: Int) throws(FleetError) {
        guard count >= 0, count <= remaining else {
            throw FleetError(
                .corrupted, "\(subject) is damaged", cause: "it ends \(count - remaining) bytes too early")
        }
    }
}
