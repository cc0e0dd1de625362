internal import FleetPluginAPI
internal import YAML

extension Validator {
    /// Durations, sizes and percentages: a number and its unit.
    mutating func measure(_ scalar: YAMLScalar, _ shape: Shape, _ place: Place) -> JSONValue? {
        let text = scalar.text
        let isNumber = scalar.tag == .int || scalar.tag == .float
        switch shape {
        case .duration(let positive):
            if isNumber {
                report(place, "the duration has no unit", "write \(units(text, ["s", "m", "h", "d"]))")
                return nil
            }
            guard let duration = DurationText.parse(text) else {
                let meant = Self.likelyDuration(text).map { "did you mean \($0)?" }
                report(
                    place, "expected a duration, found \(found(scalar))",
                    meant ?? "write for example 30s, 15m, 1h30m or 30d")
                return nil
            }
            if positive, duration <= .zero {
                report(place, "the duration must be longer than nothing")
                return nil
            }
        case .size:
            if isNumber {
                report(place, "the size has no unit", "write \(units(text, ["MiB", "GiB"])), or \(text)B for bytes")
                return nil
            }
            guard ByteSize.parse(text) != nil else {
                let meant = Self.likelySize(text).map { "did you mean \($0)?" }
                report(
                    place, "expected a size, found \(found(scalar))", meant ?? "write for example 64kB, 512MiB or 10GiB"
                )
                return nil
            }
        default:
            if isNumber {
                report(place, "the percentage has no %", "write \(shortened(text))%")
                return nil
            }
            guard let percent = Self.percent(text) else {
                report(place, "expected a percentage, found \(found(scalar))", "write for example 80%")
                return nil
            }
            guard (0...100).contains(percent) else {
                report(place, "expected a percentage from 0% to 100%, found \(shortened(text))")
                return nil
            }
        }
        return scalar.tag == .string ? .string(text) : nil
    }

    /// Percent of `80%` or `12.5%`; nil for anything else.
    static func percent(_ text: String) -> Double? {
        guard text.last == "%" else { return nil }
        let number = text.dropLast()
        guard
            number.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") })
        else { return nil }
        return Double(number)
    }

    private func units(_ number: String, _ units: [String]) -> String {
        let number = shortened(number, limit: 20)
        let all = units.map { number + $0 }
        return all.dropLast().joined(separator: ", ") + " or \(all.last ?? "")"
    }

    /// `15m` for `15 minutes`, `15 min`, `15M`.
    private static func likelyDuration(_ text: String) -> String? {
        let compact = text.lowercased().filter { !$0.isWhitespace }
        let number = compact.prefix { $0.isASCII && $0.isNumber }
        let unit = compact.dropFirst(number.count)
        guard !number.isEmpty, number.count <= 9 else { return nil }
        let letter: String? =
            switch unit {
            case "ms", "milliseconds", "millisecond", "msec": "ms"
            case "s", "sec", "secs", "second", "seconds": "s"
            case "m", "min", "mins", "minute", "minutes": "m"
            case "h", "hr", "hrs", "hour", "hours": "h"
            case "d", "day", "days": "d"
            case "w", "week", "weeks": "w"
            default: DurationText.parse(compact) == nil ? nil : String(unit)
            }
        return letter.map { number + $0 }
    }

    /// `512MiB` for `512M`, `512 mib`.
    private static func likelySize(_ text: String) -> String? {
        let compact = text.lowercased().filter { !$0.isWhitespace }
        let number = compact.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard Double(number) != nil, number.count <= 15 else { return nil }
        let unit: String? =
            switch compact.dropFirst(number.count) {
            case "b", "byte", "bytes": "B"
            case "k", "kb", "kib", "ki": "KiB"
            case "m", "mb", "mib", "mi": "MiB"
            case "g", "gb", "gib", "gi": "GiB"
            case "t", "tb", "tib", "ti": "TiB"
            default: nil
            }
        return unit.map { number + $0 }
    }
}
