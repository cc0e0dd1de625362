/// Where a program in a container writes to.
public enum ExecStream: Hashable, Sendable {
    case output, errors
}

/// How a program in a container ended and what it wrote.
public struct ExecResult: Hashable, Sendable {
    public var status: Int32
    /// The first bytes, up to the limit that was set.
    public var output: [UInt8]
    /// The last bytes, up to 64 KiB.
    public var errors: [UInt8]
    /// Whether there was more output than the limit.
    public var isOutputCut: Bool

    public var outputText: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
}

/// Bytes for a program's standard input, in pieces.
public typealias ExecInput = any AsyncSequence<[UInt8], any Error> & Sendable
