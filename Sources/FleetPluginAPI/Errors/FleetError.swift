/// What went wrong, where, why, and what to do about it.
///
/// Never carries a secret, a connection string or an SQL parameter. Compared by `code`, never by text.
public struct FleetError: Error, Hashable, Sendable, Codable {
    public var code: Code
    /// What and where, in one sentence without a full stop at its end.
    public var message: String
    /// Why: what the operating system, server or library said.
    public var cause: String?
    /// What to do next.
    public var hint: String?
    /// Whether the same call may succeed later without anybody changing anything.
    public var isRetriable: Bool

    public init(_ code: Code, _ message: String, cause: String? = nil, hint: String? = nil, retriable: Bool? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
        self.hint = hint
        self.isRetriable = retriable ?? code.isUsuallyRetriable
    }

    /// Kinds of failure, by what a caller would do about them.
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        /// The command line is wrong.
        case usage
        /// fleet.yaml is wrong.
        case configuration
        /// Something named does not exist.
        case notFound
        /// Something exists already and would have been overwritten.
        case alreadyExists
        /// Credentials or permissions do not suffice.
        case denied
        /// The other side cannot be reached, or does not answer properly now.
        case unavailable
        /// A deadline passed.
        case timedOut
        /// Stored bytes are not what they should be.
        case corrupted
        /// Another run or coordinator holds what is needed.
        case conflict
        /// A safety rule forbids it.
        case refused
        /// The world changed since the plan was made.
        case drifted
        /// A check, probe or comparison was answered with no.
        case checkFailed
        /// Someone asked for it to stop.
        case cancelled
        /// It needs something this version, plugin or server does not have.
        case unsupported
        /// The disk is full, or a limit was reached.
        case exhausted
        /// A plugin, tool or server broke its contract.
        case protocolViolation
        /// Anything else.
        case failed

        var isUsuallyRetriable: Bool {
            switch self {
            case .unavailable, .timedOut, .conflict: true
            default: false
            }
        }
    }
}

extension FleetError: CustomStringConvertible {
    public var description: String {
        var text = message
        if let cause, !cause.isEmpty { text += ": \(cause)" }
        if let hint { text += " (\(hint))" }
        return text
    }
}

extension FleetError {
    /// Any error as a `FleetError`; what is not one already becomes `failed` with its description as the cause.
    public init(_ error: any Error, _ message: @autoclosure () -> String) {
        switch error {
        case let error as FleetError: self = error
        case is CancellationError: self.init(.cancelled, message(), cause: "cancelled")
        default: self.init(.failed, message(), cause: String(describing: error))
        }
    }

    /// The same error, saying first what was being done.
    public func during(_ activity: String) -> FleetError {
        var error = self
        error.message = "\(activity): \(message)"
        return error
    }
}
