/// A position in the write-ahead log: a byte offset since the beginning of the cluster's history, written `16/B374D848`.
///
/// PostgreSQL manual, section 8.20 (`pg_lsn`).
public struct LSN: Hashable, Comparable, Sendable {
    /// Bytes since the beginning of WAL.
    public var rawValue: UInt64

    public static let zero = LSN(0)

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Parses `X/X` (each half one to eight hexadecimal digits); nil for anything else.
    public init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let high = Self.half(halves[0]), let low = Self.half(halves[1]) else { return nil }
        self.init(UInt64(high) << 32 | UInt64(low))
    }

    public static func < (left: LSN, right: LSN) -> Bool {
        left.rawValue < right.rawValue
    }

    public static func + (left: LSN, bytes: UInt64) -> LSN {
        LSN(left.rawValue + bytes)
    }

    /// Bytes from `right` to `left`; negative when `left` lies before `right`.
    public static func - (left: LSN, right: LSN) -> Int64 {
        Int64(bitPattern: left.rawValue &- right.rawValue)
    }

    private static func half(_ digits: some StringProtocol) -> UInt32? {
        guard (1...8).contains(digits.count), digits.allSatisfy(\.isHexDigit) else { return nil }
        return UInt32(digits, radix: 16)
    }
}

extension LSN: CustomStringConvertible {
    public var description: String {
        String(rawValue >> 32, radix: 16, uppercase: true) + "/"
            + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }
}

extension LSN: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let lsn = LSN(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not an LSN")
        }
        self = lsn
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
