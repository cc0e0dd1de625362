public import FleetPluginAPI

/// Names of runs: `r-20251218-103000-7f3k` sorts by time and can be read over a telephone.
public enum RunID {
    /// An id for a run that starts now.
    ///
    /// Two runs of the same second collide once in a million; `createRun` then says `.alreadyExists`.
    public static func make(now: Timestamp, random: UInt64 = .random(in: .min ... .max)) -> String {
        let compact = now.compact
        let suffix = (0..<4).map { alphabet[Int(random >> (5 * UInt64($0)) & 31)] }
        return "r-\(compact.prefix(8))-\(compact.dropFirst(9).prefix(6))-\(String(suffix))"
    }

    /// Crockford's base 32: no i, l, o or u to misread.
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
}
