/// A moment in UTC, to the microsecond, as PostgreSQL keeps it.
///
/// Not `Date`: a `Double` of seconds cannot hold every microsecond exactly, and recovery compares exactly.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// From PostgreSQL's `TimestampTz`: microseconds since 2000-01-01T00:00:00Z.
    public init(postgres: Int64) {
        self.init(microseconds: postgres + Self.postgresEpoch)
    }

    public var postgres: Int64 { microseconds - Self.postgresEpoch }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    public static func + (left: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microseconds: left.microseconds + duration.microseconds)
    }

    public static func - (left: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(microseconds: left.microseconds - duration.microseconds)
    }

    /// Time from `right` to `left`.
    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }

    private static let postgresEpoch: Int64 = 946_684_800 * 1_000_000
}

extension Duration {
    /// Whole microseconds, rounded toward zero.
    public var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }

    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
