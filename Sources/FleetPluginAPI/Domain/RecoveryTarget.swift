/// Where a restore stops, as a person asks for it.
public enum RecoveryTarget: Hashable, Sendable {
    /// Every commit at or before this moment, none after.
    case time(Timestamp)
    /// So long before the plan is made; resolved to a `time` when it is.
    case ago(Duration)
    /// The end of the archived WAL of the current timeline.
    case latest
    /// A mark of a restore set.
    case mark(String)
    /// This position, the record that ends there included.
    case lsn(LSN)
    /// This transaction included. PostgreSQL's 32-bit transaction number.
    case xid(UInt32)
    /// A restore point made with `pg_create_restore_point`.
    case name(String)
    /// The end of the backup: the earliest consistent state.
    case immediate
}

extension RecoveryTarget {
    /// Parses what `--target` takes.
    ///
    /// - Throws: `FleetError.usage` that says which forms there are, and, for a time without a zone, how to write it.
    public init(parsing text: String) throws(FleetError) {
        if text == "latest" {
            self = .latest
        } else if text == "immediate" {
            self = .immediate
        } else if text.hasPrefix("-") {
            guard let duration = DurationText.parse(text.dropFirst()), duration > .zero else {
                throw FleetError(
                    .usage, "\(text) is not a length of time before now", hint: "write for example -15m or -1h30m")
            }
            self = .ago(duration)
        } else if let prefix = ["mark", "lsn", "xid", "name"].first(where: { text.hasPrefix($0 + ":") }) {
            self = try Self.prefixed(prefix, String(text.dropFirst(prefix.count + 1)))
        } else if let time = Timestamp(rfc3339: text) {
            self = .time(time)
        } else if let time = Timestamp(rfc3339: text + "Z") ?? Timestamp(rfc3339: text + "T00:00:00Z") {
            throw FleetError(
                .usage, "the target \(text) has no time zone",
                hint: "write \(time) if it is UTC, or end it with an offset such as +02:00")
        } else {
            throw FleetError(
                .usage, "\(text) is not a recovery target",
                hint: "write a time with its zone (2025-12-18T10:30:00Z), -15m, latest, immediate, mark:NAME, "
                    + "lsn:0/3000000, xid:N or name:POINT")
        }
    }

    private static func prefixed(_ prefix: String, _ value: String) throws(FleetError) -> RecoveryTarget {
        switch prefix {
        case "lsn":
            guard let lsn = LSN(value) else {
                throw FleetError(.usage, "\(value) is not an LSN", hint: "write it as lsn:0/3000000")
            }
            return .lsn(lsn)
        case "xid":
            guard let xid = UInt32(value), xid >= 3 else {
                throw FleetError(
                    .usage, "\(value) is not a transaction number", hint: "write it as xid:742; the first is 3")
            }
            return .xid(xid)
        default:
            guard !value.isEmpty, value.utf8.count <= 63 else {
                throw FleetError(.usage, "a \(prefix) has 1 to 63 bytes, not \(value.utf8.count)")
            }
            return prefix == "mark" ? .mark(value) : .name(value)
        }
    }
}

extension RecoveryTarget: CustomStringConvertible {
    public var description: String {
        switch self {
        case .time(let time): time.description
        case .ago(let duration): "-" + Self.exact(duration)
        case .latest: "latest"
        case .mark(let name): "mark:\(name)"
        case .lsn(let lsn): "lsn:\(lsn)"
        case .xid(let xid): "xid:\(xid)"
        case .name(let name): "name:\(name)"
        case .immediate: "immediate"
        }
    }

    private static func exact(_ duration: Duration) -> String {
        let microseconds = duration.microseconds
        return microseconds % 1_000_000 == 0 ? "\(microseconds / 1_000_000)s" : "\(microseconds)us"
    }
}

extension RecoveryTarget: Codable {
    public init(from decoder: any Decoder) throws {
        self = try RecoveryTarget(parsing: decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
