internal import FleetPluginAPI

/// One of the five fields of a cron expression.
struct CronField {
    var name: String
    var range: ClosedRange<Int>
    /// Names of the values, from `firstNamed` on.
    var names: [String] = []
    var firstNamed = 0

    static let minute = CronField(name: "minute", range: 0...59)
    static let hour = CronField(name: "hour", range: 0...23)
    static let dayOfMonth = CronField(name: "day of the month", range: 1...31)
    static let month = CronField(
        name: "month", range: 1...12,
        names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], firstNamed: 1)
    static let dayOfWeek = CronField(
        name: "day of the week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

    private static let macros = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// The five fields, macros written out.
    static func split(_ text: String) throws(FleetError) -> [Substring] {
        guard text.utf8.count <= 1000 else {
            throw FleetError(.configuration, "a cron expression of \(text.utf8.count) bytes", hint: "1000 are allowed")
        }
        if text.hasPrefix("@") {
            guard let macro = macros[text.lowercased()] else {
                throw FleetError(
                    .configuration, "\(shortened(text)) is no cron expression",
                    hint: "there is: @hourly, @daily, @weekly, @monthly, @yearly")
            }
            return macro.split(separator: " ")
        }
        let fields = text.split { $0 == " " || $0 == "\t" }
        guard fields.count == 5 else {
            let hint =
                fields.count == 6
                ? "there is no field for seconds or years: write minute, hour, day, month and weekday"
                : "write minute, hour, day, month and weekday: \"0 2 * * *\" is every night at two"
            throw FleetError(.configuration, "expected five cron fields, found \(fields.count)", hint: hint)
        }
        return fields
    }

    /// The values as bits.
    func parse(_ field: Substring) throws(FleetError) -> UInt64 {
        var bits: UInt64 = 0
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            for value in try values(part) { bits |= 1 << UInt64(value) }
        }
        return bits
    }

    private func values(_ part: Substring) throws(FleetError) -> [Int] {
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = pieces.first, !first.isEmpty else { throw wrong("has an empty part") }
        var step = 1
        if pieces.count == 2 {
            guard let number = number(pieces[1]), number > 0 else {
                throw wrong("has a step \(shortened(String(pieces[1]))) that is not a positive number")
            }
            step = number
        }
        let bounds: ClosedRange<Int>
        if first == "*" {
            bounds = range
        } else {
            let ends = first.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            let low = try value(ends[0])
            // `5/15` counts from 5 to the field's end.
            let high = ends.count == 2 ? try value(ends[1]) : pieces.count == 2 ? range.upperBound : low
            guard low <= high else {
                throw wrong("has a range \(shortened(String(first))) that ends before it begins")
            }
            bounds = low...high
        }
        return Array(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
    }

    private func value(_ text: Substring) throws(FleetError) -> Int {
        if let index = names.firstIndex(of: text.lowercased()) { return firstNamed + index }
        guard let value = number(text) else {
            let hint =
                text == "?"
                ? "write *"
                : names.isEmpty
                    ? nil
                    : Suggestion.nearest(
                        to: String(text), among: names
                    ).map { "did you mean \($0)?" }
            throw wrong(
                text.isEmpty ? "has an empty part" : "has \(shortened(String(text))), which is no value", hint: hint)
        }
        guard range.contains(value) else { throw wrong("has \(value)") }
        return value
    }

    private func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(text)
    }

    private func wrong(_ what: String, hint: String? = nil) -> FleetError {
        FleetError(
            .configuration, "the cron field for the \(name) \(what)",
            hint: hint ?? "it takes \(range.lowerBound) to \(range.upperBound)"
                + (names.isEmpty ? "" : " or \(names[0]) to \(names[names.count - 1])"))
    }
}
