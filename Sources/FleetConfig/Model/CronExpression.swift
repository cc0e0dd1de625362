public import FleetPluginAPI

/// A schedule of five fields, as cron has them, in UTC.
///
/// `minute hour day-of-month month day-of-week`, each `*`, a number or name, a range, a list, with steps; or `@hourly`,
/// `@daily`, `@weekly`, `@monthly`, `@yearly`. As in Vixie cron (crontab(5)), a moment fits when either of the two day
/// fields fits, if neither of them begins with `*`; otherwise both must.
public struct CronExpression: Hashable, Sendable {
    /// As written.
    public let text: String
    // Bit n stands for the value n.
    let minutes: UInt64
    let hours: UInt64
    let daysOfMonth: UInt64
    let months: UInt64
    /// 0 is Sunday.
    let daysOfWeek: UInt64
    let eitherDay: Bool

    /// - Throws: `configuration`: what is wrong with which field, and what to write.
    public init(parsing text: String) throws(FleetError) {
        let fields = try CronField.split(text)
        self.text = text
        minutes = try CronField.minute.parse(fields[0])
        hours = try CronField.hour.parse(fields[1])
        daysOfMonth = try CronField.dayOfMonth.parse(fields[2])
        months = try CronField.month.parse(fields[3])
        let days = try CronField.dayOfWeek.parse(fields[4])
        // Sunday is both 0 and 7.
        daysOfWeek = (days | days >> 7) & 0x7F
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard eitherDay || hasPossibleDay else {
            throw FleetError(
                .configuration, "the cron expression \(shortened(text)) never comes true",
                hint: "no month that it names has such a day")
        }
    }

    /// Whether a year, leap years included, has a day that fits `daysOfMonth` and `months`.
    private var hasPossibleDay: Bool {
        let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return lengths.enumerated().contains { month, length in
            months.contains(month + 1) && (1...length).contains { daysOfMonth.contains($0) }
        }
    }
}

extension CronExpression: CustomStringConvertible {
    public var description: String { text }
}

extension CronExpression {
    /// The first moment later than `time` that the schedule names; nil when the calendar ends before.
    public func next(after time: Timestamp) -> Timestamp? {
        let start = Timestamp(microseconds: time.microseconds.roundedDownToMinute) + .seconds(60)
        var (year, month, day) = (start.calendar.year, start.calendar.month, start.calendar.day)
        var earliest = (hour: start.calendar.hour, minute: start.calendar.minute)
        // 29 February on one weekday comes back after 28 years, or 40 across a year such as 2100.
        let last = year + 48
        while year <= last, year <= 9999 {
            guard months.contains(month), let midnight = Timestamp(year: year, month: month, day: day) else {
                // The month does not count, or has ended.
                (year, month, day) = month == 12 ? (year + 1, 1, 1) : (year, month + 1, 1)
                earliest = (0, 0)
                continue
            }
            if fits(day: day, weekday: midnight.calendar.weekday), let time = firstTime(from: earliest) {
                return midnight + .seconds(time.hour * 3600 + time.minute * 60)
            }
            day += 1
            earliest = (0, 0)
        }
        return nil
    }

    private func fits(day: Int, weekday: Int) -> Bool {
        let (byDate, byWeekday) = (daysOfMonth.contains(day), daysOfWeek.contains(weekday))
        return eitherDay ? byDate || byWeekday : byDate && byWeekday
    }

    private func firstTime(from earliest: (hour: Int, minute: Int)) -> (hour: Int, minute: Int)? {
        for hour in earliest.hour..<24 where hours.contains(hour) {
            let from = hour == earliest.hour ? earliest.minute : 0
            if let minute = (from..<60).first(where: { minutes.contains($0) }) { return (hour, minute) }
        }
        return nil
    }
}

extension Int64 {
    fileprivate var roundedDownToMinute: Int64 {
        let minute: Int64 = 60_000_000
        let remainder = self % minute
        return self - (remainder < 0 ? remainder + minute : remainder)
    }
}

extension UInt64 {
    func contains(_ bit: Int) -> Bool { self >> bit & 1 == 1 }
}
