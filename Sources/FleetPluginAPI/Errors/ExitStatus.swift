/// The exit codes of the `fleet` command: few, and each means one thing.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    /// Wrong use of the command or a wrong fleet.yaml.
    case usage = 2
    /// A safety rule refused it; nothing was changed.
    case refused = 3
    /// Not compliant, or alerts are firing.
    case alerting = 4
    /// The run waits for an approval.
    case waiting = 5
}

extension FleetError.Code {
    /// The one table from error codes to exit codes.
    public var exitStatus: ExitStatus {
        switch self {
        case .usage, .configuration: .usage
        case .refused, .drifted, .conflict: .refused
        default: .failed
        }
    }
}
