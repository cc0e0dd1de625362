/// Sizes in bytes, written with binary units as PostgreSQL and Kubernetes do.
public enum ByteSize {
    /// `1.5 GiB`, `312 kiB`, `17 B`: three significant digits.
    public static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var unit = 0
        let units = ["B", "kiB", "MiB", "GiB", "TiB", "PiB"]
        while abs(value) >= 1023.5, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) B" }
        let digits = abs(value) < 9.995 ? 2 : abs(value) < 99.95 ? 1 : 0
        return "\(fixed(value, digits)) \(units[unit])"
    }

    /// Bytes of `512MiB`, `10GB`, `64kB`, `1048576B`; nil without a unit. `kB`, `MB`, … are powers of 1000.
    public static func parse(_ text: some StringProtocol) -> Int64? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let value = Double(number), let factor = factors[String(unit)] else { return nil }
        let bytes = value * factor
        return bytes < 9e18 ? Int64(bytes) : nil
    }

    private static let factors: [String: Double] = [
        "B": 1,
        "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15,
        "kiB": 1024, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824, "TiB": 1_099_511_627_776,
        "PiB": 1_125_899_906_842_624,
        "Ki": 1024, "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776,
    ]

    /// A number with exactly so many digits after the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = [1.0, 10, 100, 1000][digits]
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let whole = scaled / Int64(scale)
        guard digits > 0 else { return "\(sign)\(whole)" }
        let fraction = String(scaled % Int64(scale))
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
