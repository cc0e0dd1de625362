/// How a program ended.
public enum ProcessStatus: Hashable, Sendable, Codable {
    case exited(Int32)
    /// A signal ended it, by number.
    case signalled(Int32)

    public var isSuccess: Bool { self == .exited(0) }

    /// As a shell has it: 128 + the number of the signal that ended it.
    public var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }
}

extension ProcessStatus: CustomStringConvertible {
    public var description: String {
        switch self {
        case .exited(let code): "exit code \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}

/// What a program that has ended left.
public struct ProcessResult: Sendable {
    public var status: ProcessStatus
    /// The first bytes of standard output, up to the limit that was set.
    public var output: [UInt8]
    /// Whether there was more than the limit.
    public var isOutputCut: Bool
    /// The last bytes of standard error, up to the limit that was set.
    public var errors: [UInt8]

    public var outputText: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
}

/// A line that a program wrote, without its line break.
public struct OutputLine: Hashable, Sendable {
    public enum Stream: Hashable, Sendable {
        case output, errors
    }

    public var stream: Stream
    public var text: String

    public init(stream: Stream, text: String) {
        self.stream = stream
        self.text = text
    }
}
