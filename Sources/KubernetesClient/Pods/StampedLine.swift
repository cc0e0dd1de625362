import FleetPluginAPI

/// A line of a log as the server writes it with `timestamps`: `2026-01-02T03:04:05.123456789Z text`.
struct StampedLine: Hashable {
    /// Since 1970; Kubernetes writes nanoseconds.
    var nanoseconds: Int64
    var text: [UInt8]

    /// Nil for what has no time at its front.
    init?(_ line: [UInt8]) {
        let stamp = line.prefix { $0 != UInt8(ascii: " ") }
        guard (20...40).contains(stamp.count) else { return nil }
        let text = String(decoding: stamp, as: UTF8.self)
        guard let time = Timestamp(rfc3339: text) else { return nil }
        // Timestamps are to the microsecond: the rest of the fraction is read here.
        var rest = 0
        if let point = stamp.firstIndex(of: UInt8(ascii: ".")) {
            let fraction = stamp[(point + 1)...].prefix { (0x30...0x39).contains($0) }
            let digits = fraction.dropFirst(6).prefix(3)
            rest = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            for _ in digits.count..<3 { rest *= 10 }
        }
        let (product, overflow) = time.microseconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return nil }
        nanoseconds = product + Int64(rest)
        self.text = Array(line.dropFirst(stamp.count + 1))
    }

    var line: LogLine {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
        return LogLine(
            time: Timestamp(microseconds: remainder < 0 ? quotient - 1 : quotient),
            text: String(decoding: text, as: UTF8.self))
    }
}
