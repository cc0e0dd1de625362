import FleetPluginAPI

/// How far a log was read, so that reading it again from a little before neither loses nor repeats a line.
///
/// A server can begin at a time only, in whole seconds (`sinceTime` is cut to them on the way to the kubelet), and lines
/// of the two streams may be a moment out of order. So it is asked from more than a second before the last line, and
/// the lines of that span which were seen before are passed over, by what they are.
struct LogCursor {
    private struct Mark: Equatable {
        var nanoseconds: Int64
        var hash: Int

        init(_ line: StampedLine) {
            nanoseconds = line.nanoseconds
            hash = line.text.hashValue
        }
    }

    /// The lines since `start`, in their order.
    private var window: [Mark] = []
    private var latest: Int64?
    /// The place in the window of the line that is expected next while old lines come again; nil: they are new.
    private var expected: Int?

    private static let second: Int64 = 1_000_000_000

    /// The second from which the next reading has to begin; nil before anything was read.
    private var startNanoseconds: Int64? {
        latest.map { ($0 / Self.second - 1) * Self.second }
    }

    var start: Timestamp? { startNanoseconds.map { Timestamp(microseconds: $0 / 1000) } }

    /// The log is read again, from `start`.
    mutating func rewind() {
        trim()
        expected = window.isEmpty ? nil : 0
    }

    /// Whether this line is new; then it counts as read.
    mutating func isNew(_ line: StampedLine) -> Bool {
        let mark = Mark(line)
        if let place = expected {
            if let start = startNanoseconds, line.nanoseconds < start { return false }
            // At the front some may be missing: a log that was rotated begins later.
            let found =
                place == 0 ? window.firstIndex(of: mark) : place < window.count && window[place] == mark ? place : nil
            if let found {
                expected = found + 1 < window.count ? found + 1 : nil
                return false
            }
            expected = nil
        }
        window.append(mark)
        latest = max(latest ?? .min, line.nanoseconds)
        if window.count.isMultiple(of: 4096) { trim() }
        return true
    }

    private mutating func trim() {
        guard let start = startNanoseconds else { return }
        window.removeAll { $0.nanoseconds < start }
    }
}
