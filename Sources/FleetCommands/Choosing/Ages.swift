import FleetPluginAPI

/// Times in the words of someone who looks at them now.
enum Ages {
    /// `3h 12m ago`, `now`
    static func ago(_ time: Timestamp, at now: Timestamp) -> String {
        let age = now - time
        return age < .seconds(1) ? "now" : "\(rough(age)) ago"
    }

    /// `3h 12m`: whole seconds at least.
    static func rough(_ duration: Duration) -> String {
        let whole = Duration.seconds(duration.microseconds / 1_000_000)
        return whole == .zero ? DurationText.text(duration) : DurationText.text(whole).replacing(".0s", with: "s")
    }

    /// `4.3ms`, of seconds.
    static func exact(_ seconds: Double) -> String {
        DurationText.text(.microseconds(Int64((seconds * 1e6).rounded())))
    }

    /// `2025-12-18 10:30:00 UTC`, the fraction kept where it says something.
    static func moment(_ time: Timestamp) -> String {
        let text = time.description
        let fraction = text.firstIndex(of: ".").map { String(text[$0...].dropLast()) } ?? ""
        return "\(time.dayText) \(time.clockText)\(fraction) UTC"
    }

    /// `2025-12-18 10:30:00`, for columns whose heading says UTC.
    static func second(_ time: Timestamp) -> String {
        "\(time.dayText) \(time.clockText)"
    }
}
