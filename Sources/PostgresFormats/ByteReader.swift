/// Reads little-endian numbers one after the other; nil once the bytes do not suffice.
///
/// Borrows the buffer: not to outlive the scope that lent it.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = min(max(0, offset), bytes.count)
    }

    var remaining: Int { bytes.count &- offset }

    @inline(__always)
    mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { return nil }
        defer { offset &+= size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Passes over `count` bytes; nil when there are not so many, or the count is negative.
    mutating func skip(_ count: Int) -> Void? {
        guard count >= 0, count <= remaining else { return nil }
        offset += count
        return ()
    }

    /// The bytes before the next zero, of `limit` at most, without passing over them.
    func zeroTerminated(limit: Int) -> String {
        let bytes = bytes[offset..<offset + min(limit, remaining)].prefix { $0 != 0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
