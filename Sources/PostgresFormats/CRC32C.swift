internal import CChecksum

/// The Castagnoli CRC that PostgreSQL guards WAL records, pg_control and (on request) backup manifests with.
///
/// PostgreSQL source: `src/include/port/pg_crc32c.h`.
public struct CRC32C: Hashable, Sendable {
    private var state: UInt32 = 0xFFFF_FFFF

    public init() {}

    /// The checksum of the bytes so far.
    public var value: UInt32 { ~state }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        state = crc32c(state, start, bytes.count, tables: crc32cTables)
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }

    /// The checksum of what `first` is of, followed by `count` bytes whose checksum is `second`.
    ///
    /// Parts of a file can so be read side by side.
    public static func combine(_ first: UInt32, _ second: UInt32, count: Int) -> UInt32 {
        multiply(power(ofBytes: count), first) ^ second
    }

    /// x to the power of 8 `count`, modulo the polynomial.
    private static func power(ofBytes count: Int) -> UInt32 {
        var result: UInt32 = 1 << 31
        var square: UInt32 = 1 << 23
        var rest = count
        while rest > 0 {
            if rest & 1 == 1 { result = multiply(square, result) }
            square = multiply(square, square)
            rest >>= 1
        }
        return result
    }

    /// Polynomials over bits, the highest coefficient of which is of x to the power of 0.
    private static func multiply(_ left: UInt32, _ right: UInt32) -> UInt32 {
        var product: UInt32 = 0
        var factor = right
        for bit in stride(from: UInt32(31), through: 0, by: -1) {
            if left >> bit & 1 == 1 { product ^= factor }
            factor = (factor >> 1) ^ (factor & 1 == 1 ? 0x82F6_3B78 : 0)
        }
        return product
    }
}

/// Whether the processor computes it.
private let isInHardware = crc32c_is_available() != 0

/// By the processor where it can. `state` is not inverted.
@inline(__always)
func crc32c(
    _ state: UInt32, _ start: UnsafeRawPointer, _ count: Int, tables: UnsafePointer<UInt32>
) -> UInt32 {
    isInHardware
        ? crc32c_hardware(state, start, UInt(count)) : crc32cInSoftware(state, start, count, tables: tables)
}

/// Sixteen bytes at a time through sixteen tables ("slicing").
func crc32cInSoftware(
    _ state: UInt32, _ start: UnsafeRawPointer, _ count: Int, tables: UnsafePointer<UInt32>
) -> UInt32 {
    var crc = state
    var next = start
    var rest = count
    while rest >= 16 {
        let low = UInt64(littleEndian: next.loadUnaligned(as: UInt64.self)) ^ UInt64(crc)
        let high = UInt64(littleEndian: next.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        crc = slice(low, tables + 2048) ^ slice(high, tables)
        next += 16
        rest &-= 16
    }
    if rest >= 8 {
        crc = slice(UInt64(littleEndian: next.loadUnaligned(as: UInt64.self)) ^ UInt64(crc), tables)
        next += 8
        rest &-= 8
    }
    while rest > 0 {
        crc = tables[Int((crc ^ UInt32(next.load(as: UInt8.self))) & 0xFF)] ^ (crc &>> 8)
        next += 1
        rest &-= 1
    }
    return crc
}

/// Eight bytes through eight tables, the last byte through the first of them.
@inline(__always)
private func slice(_ bytes: UInt64, _ tables: UnsafePointer<UInt32>) -> UInt32 {
    let first = tables[1792 &+ Int(bytes & 0xFF)] ^ tables[1536 &+ Int((bytes &>> 8) & 0xFF)]
    let second = tables[1280 &+ Int((bytes &>> 16) & 0xFF)] ^ tables[1024 &+ Int((bytes &>> 24) & 0xFF)]
    let third = tables[768 &+ Int((bytes &>> 32) & 0xFF)] ^ tables[512 &+ Int((bytes &>> 40) & 0xFF)]
    let fourth = tables[256 &+ Int((bytes &>> 48) & 0xFF)] ^ tables[Int(bytes &>> 56)]
    return first ^ second ^ (third ^ fourth)
}

/// Table k at 256 k: the CRC of a byte that k zero bytes follow. Never freed.
// Written once, by the initialiser that runs before the first read.
nonisolated(unsafe) let crc32cTables: UnsafePointer<UInt32> = {
    let tables = UnsafeMutablePointer<UInt32>.allocate(capacity: 4096)
    for byte in 0..<256 {
        tables[byte] = (0..<8).reduce(UInt32(byte)) { crc, _ in (crc >> 1) ^ (crc & 1 == 0 ? 0 : 0x82F6_3B78) }
    }
    for index in 256..<4096 {
        tables[index] = tables[Int(tables[index - 256] & 0xFF)] ^ (tables[index - 256] >> 8)
    }
    return UnsafePointer(tables)
}()
