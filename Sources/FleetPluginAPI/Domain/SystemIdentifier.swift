/// The number that initdb gave a data directory; unsigned 64 bits, so never a JSON number (2^53).
public struct SystemIdentifier: Hashable, Sendable, RawRepresentable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init?(_ text: some StringProtocol) {
        guard let value = UInt64(text) else { return nil }
        self.init(rawValue: value)
    }
}

extension SystemIdentifier: CustomStringConvertible {
    public var description: String { String(rawValue) }
}

extension SystemIdentifier: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let identifier = SystemIdentifier(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text) is not a system identifier")
        }
        self = identifier
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
