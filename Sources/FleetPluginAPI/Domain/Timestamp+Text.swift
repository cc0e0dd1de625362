// RFC 3339 without DateFormatter, which would pull in ICU and start slowly.

/// A date of the proleptic Gregorian calendar and a time of day, in UTC.
public struct CalendarTime: Hashable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var microsecond: Int
    /// 0 Sunday … 6 Saturday.
    public var weekday: Int
}

extension Timestamp {
    public var calendar: CalendarTime {
        let (days, inDay) = microseconds.quotientAndRemainderFloored(dividingBy: 86_400_000_000)
        let date = Self.date(daysSinceEpoch: days)
        return CalendarTime(
            year: date.year, month: date.month, day: date.day,
            hour: Int(inDay / 3_600_000_000), minute: Int(inDay / 60_000_000 % 60),
            second: Int(inDay / 1_000_000 % 60), microsecond: Int(inDay % 1_000_000),
            weekday: Int((days + 4).quotientAndRemainderFloored(dividingBy: 7).remainder))
    }

    /// A moment from its parts in UTC; nil when one is out of range (30 February, hour 24).
    public init?(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0
    ) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day),
            (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second),
            (0..<1_000_000).contains(microsecond)
        else { return nil }
        let seconds =
            Self.daysSinceEpoch(year: year, month: month, day: day) * 86_400
            + Int64(hour * 3600 + minute * 60 + second)
        self.init(microseconds: seconds * 1_000_000 + Int64(microsecond))
    }

    /// Parses `2025-12-18T10:30:00[.ffffff](Z|±hh:mm)`, also with a space for the `T` and `±hh`.
    ///
    /// Nil without a zone: a time whose zone is guessed restores to the wrong hour.
    public init?(rfc3339 text: some StringProtocol) {
        var reader = DigitReader(text)
        guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2), reader.take("-"),
            let day = reader.digits(2), reader.take("T") || reader.take("t") || reader.take(" "),
            let hour = reader.digits(2), reader.take(":"), let minute = reader.digits(2)
        else { return nil }
        var second = 0
        var microsecond = 0
        if reader.take(":") {
            guard let value = reader.digits(2) else { return nil }
            second = value
            if reader.take(".") {
                guard let value = reader.fraction() else { return nil }
                microsecond = value
            }
        }
        _ = reader.take(" ")
        guard let offset = reader.zone(), reader.isAtEnd,
            let local = Timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second,
                microsecond: microsecond)
        else { return nil }
        self.init(microseconds: local.microseconds - Int64(offset) * 60_000_000)
    }

    /// Days in a month of the Gregorian calendar.
    public static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Howard Hinnant's days_from_civil and civil_from_days, years counted from March.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let marchYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = marchYear.quotientAndRemainderFloored(dividingBy: 400)
        let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func date(daysSinceEpoch days: Int64) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = (days + 719_468).quotientAndRemainderFloored(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        return (year, month, Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1))
    }
}

extension Timestamp: CustomStringConvertible {
    /// `2025-12-18T10:30:00Z`, with six digits of fraction when there is one.
    public var description: String {
        let time = calendar
        let fraction = time.microsecond == 0 ? "" : "." + padded(time.microsecond, 6)
        return "\(dayText)T\(clockText)\(fraction)Z"
    }

    /// `2025-12-18`
    public var dayText: String {
        let time = calendar
        return "\(padded(time.year, 4))-\(padded(time.month, 2))-\(padded(time.day, 2))"
    }

    /// `10:30:00`
    public var clockText: String {
        let time = calendar
        return "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
    }

    /// `20251218T103000Z`: sorts, and may stand in a file name.
    public var compact: String {
        let time = calendar
        return padded(time.year, 4) + padded(time.month, 2) + padded(time.day, 2) + "T" + padded(time.hour, 2)
            + padded(time.minute, 2) + padded(time.second, 2) + "Z"
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let timestamp = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not an RFC 3339 time")
        }
        self = timestamp
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

private func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension Int64 {
    fileprivate func quotientAndRemainderFloored(dividingBy divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

private struct DigitReader {
    private var rest: ArraySlice<UInt8>

    init(_ text: some StringProtocol) {
        rest = Array(text.utf8)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first.map(UInt32.init) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        guard rest.count >= count else { return nil }
        var value = 0
        for byte in rest.prefix(count) {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        rest = rest.dropFirst(count)
        return value
    }

    /// One to nine digits after the point, cut to microseconds.
    mutating func fraction() -> Int? {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...9).contains(digits.count) else { return nil }
        rest = rest.dropFirst(digits.count)
        return (digits.prefix(6) + Array(repeating: 0x30, count: max(0, 6 - digits.count)))
            .reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Minutes east of UTC.
    mutating func zone() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = digits(2), hours <= 15 else { return nil }
        guard !isAtEnd else { return sign * hours * 60 }
        _ = take(":")
        guard let minutes = digits(2), minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}
