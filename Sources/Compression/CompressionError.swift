/// Why bytes could not be compressed or decompressed.
public struct CompressionError: Error, Hashable, Sendable {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The bytes are not a whole zstd frame, or not the one that was written.
        case corrupted
        /// The frame holds more, or needs a larger window, than the caller allows.
        case tooLarge
        /// There is not enough memory.
        case exhausted
        /// A parameter is out of range.
        case invalidParameter
        /// Anything else that the library reports.
        case failed
    }

    public var code: Code
    /// What was wrong, in one sentence without a full stop at its end.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension CompressionError: CustomStringConvertible {
    public var description: String { message }
}
