public import FleetPluginAPI

extension Timestamp {
    /// Parses a time as PostgreSQL writes it: `2025-12-18 10:30:00.123456+00`, `… +05:30`, `… UTC`, `… GMT`.
    ///
    /// Nil for any other zone name, as it may mean several zones, for times before Christ and `infinity`.
    public init?(postgresText text: some StringProtocol) {
        if text.hasSuffix(" UTC") || text.hasSuffix(" GMT") {
            guard let time = Timestamp(rfc3339: text.dropLast(4) + "Z") else { return nil }
            self = time
        } else if let time = Timestamp(rfc3339: text) {
            self = time
        } else {
            // Local mean time has seconds in its offset: +00:19:32.
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 5, parts[4].count == 2, let seconds = UInt8(parts[4]), seconds < 60,
                let time = Timestamp(rfc3339: parts[..<4].joined(separator: ":"))
            else { return nil }
            self = parts[2].contains("-") ? time + .seconds(seconds) : time - .seconds(seconds)
        }
    }

    /// `2025-12-18 10:30:00.123456+00`: what PostgreSQL reads in any session time zone.
    public var postgresText: String {
        let text = description
        return "\(dayText) " + text.dropFirst(dayText.utf8.count + 1).dropLast() + "+00"
    }
}
