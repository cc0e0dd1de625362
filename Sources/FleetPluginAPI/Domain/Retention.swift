/// Which backups stay. Of what is asked for, whatever keeps more counts; nil asks for nothing.
public struct Retention: Hashable, Sendable {
    /// How many full backups, the newest ones. At least 1.
    public var full: Int?
    /// How many differential backups.
    public var diff: Int?
    /// How far back every moment can be restored to.
    public var window: Duration?

    public init(full: Int? = nil, diff: Int? = nil, window: Duration? = nil) {
        self.full = full
        self.diff = diff
        self.window = window
    }

    /// Whether it says which full backups stay: without it nothing may be removed.
    public var isDecided: Bool { full != nil || window != nil }

    /// The full backup from which on everything stays: the oldest of the `full` newest, or the newest that had ended
    /// when the window begins, whichever is older. The oldest of all while none is old enough, nil while there is none.
    ///
    /// - Parameter backups: those that are known to be good.
    public func oldestFull(of backups: [BackupRecord], at now: Timestamp) -> BackupRecord? {
        let fulls = backups.filter { $0.kind == .full }.sorted { ($0.stopTime, $0.label) < ($1.stopTime, $1.label) }
        guard isDecided, let oldest = fulls.first else { return fulls.first }
        let byCount = fulls.suffix(max(1, full ?? 1)).first ?? oldest
        guard let window else { return byCount }
        let byTime = fulls.last { now - $0.stopTime >= window } ?? oldest
        return byTime.stopTime < byCount.stopTime ? byTime : byCount
    }
}

extension Retention: Codable {
    private enum CodingKeys: String, CodingKey { case full, diff, window }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        full = try container.decodeIfPresent(Int.self, forKey: .full)
        diff = try container.decodeIfPresent(Int.self, forKey: .diff)
        window = try container.decodeIfPresent(String.self, forKey: .window).map { text in
            guard let duration = DurationText.parse(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .window, in: container, debugDescription: "\(text) is not a duration")
            }
            return duration
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(full, forKey: .full)
        try container.encodeIfPresent(diff, forKey: .diff)
        try container.encodeIfPresent(window.map(DurationText.exactly), forKey: .window)
    }
}
