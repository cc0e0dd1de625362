/// Durations as people write them in fleet.yaml and read them in tables.
public enum DurationText {
    /// `15m`, `1h30m`, `30d`, `500ms`; nil without a unit, with a unit twice or with units out of order.
    public static func parse(_ text: some StringProtocol) -> Duration? {
        var rest = Substring(text)
        var microseconds: Int64 = 0
        var smallest = Int64.max
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let count = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let factor = factors[String(unit)], factor < smallest else { return nil }
            smallest = factor
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            let (sum, overflowed) = microseconds.addingReportingOverflow(product)
            guard !overflow, !overflowed else { return nil }
            microseconds = sum
        }
        return .microseconds(microseconds)
    }

    /// Without loss, for `parse`: `90s`, `1500us`.
    public static func exactly(_ duration: Duration) -> String {
        let microseconds = duration.microseconds
        return microseconds % 1_000_000 == 0 ? "\(microseconds / 1_000_000)s" : "\(microseconds)us"
    }

    /// The two largest units: `3d 4h`, `12m 5s`, `4.2s`, `35ms`.
    public static func text(_ duration: Duration) -> String {
        let microseconds = duration.microseconds
        guard microseconds >= 0 else { return "-" + text(.zero - duration) }
        let seconds = microseconds / 1_000_000
        switch seconds {
        case 0: return microseconds == 0 ? "0s" : microseconds < 1000 ? "\(microseconds)us" : "\(microseconds / 1000)ms"
        case ..<10: return ByteSize.fixed(Double(microseconds) / 1e6, 1) + "s"
        case ..<60: return "\(seconds)s"
        case ..<3600: return pair(seconds, 60, "m", 1, "s")
        case ..<86_400: return pair(seconds, 3600, "h", 60, "m")
        default: return pair(seconds, 86_400, "d", 3600, "h")
        }
    }

    private static func pair(_ seconds: Int64, _ big: Int64, _ bigUnit: String, _ small: Int64, _ smallUnit: String)
        -> String
    {
        let rest = seconds % big / small
        return "\(seconds / big)\(bigUnit)" + (rest == 0 ? "" : " \(rest)\(smallUnit)")
    }

    private static let factors: [String: Int64] = [
        "us": 1, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000,
        "w": 604_800_000_000,
    ]
}
