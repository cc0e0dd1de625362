import FleetConfig
import FleetPluginAPI
import Testing

@Suite struct CronTests {
    @Test(arguments: [
        ("* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"),
        ("* * * * *", "2026-01-01T00:00:59.999999Z", "2026-01-01T00:01:00Z"),
        ("0 2 * * *", "2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z"),
        ("0 2 * * *", "2026-01-01T01:59:59Z", "2026-01-01T02:00:00Z"),
        ("*/15 * * * *", "2026-01-01T23:46:00Z", "2026-01-02T00:00:00Z"),
        ("5/20 * * * *", "2026-01-01T00:06:00Z", "2026-01-01T00:25:00Z"),
        ("0 */6 * * *", "2026-01-01T18:00:00Z", "2026-01-02T00:00:00Z"),
        ("0 9-17/4 * * *", "2026-01-01T13:30:00Z", "2026-01-01T17:00:00Z"),
        ("0 0 1,15 * *", "2026-01-02T00:00:00Z", "2026-01-15T00:00:00Z"),
        ("0 0 31 * *", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 29 feb *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("0 0 * * mon", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("0 0 * * 0", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("0 0 * * Fri-7", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"),
        // Either day when both are restricted, both when one begins with a star.
        ("0 0 13 * fri", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("0 0 13 * fri", "2026-01-10T00:00:00Z", "2026-01-13T00:00:00Z"),
        ("0 0 */2 * fri", "2026-01-03T00:00:00Z", "2026-01-09T00:00:00Z"),
        ("0 0 30 2 mon", "2026-01-31T00:00:00Z", "2026-02-02T00:00:00Z"),
        ("59 23 31 dec *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"),
        ("@daily", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
        ("@hourly", "2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"),
        ("@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"),
        ("@monthly", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        (" 0\t2  * * * ", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"),
        ("0 0 * * *", "1969-12-31T12:00:30Z", "1970-01-01T00:00:00Z"),
    ])
    func next(_ text: String, _ after: String, _ expected: String) throws {
        let time = try #require(Timestamp(rfc3339: after))
        #expect(try CronExpression(parsing: text).next(after: time) == Timestamp(rfc3339: expected))
    }

    @Test func theCalendarEnds() throws {
        let end = try #require(Timestamp(rfc3339: "9999-12-31T12:00:00Z"))
        #expect(try CronExpression(parsing: "@daily").next(after: end) == nil)
    }

    @Test(arguments: [
        ("", "expected five cron fields, found 0"),
        ("0 2 * *", "expected five cron fields, found 4"),
        ("0 0 2 * * *", "expected five cron fields, found 6"),
        ("60 * * * *", "the cron field for the minute has 60"),
        ("* 24 * * *", "the cron field for the hour has 24"),
        ("* * 0 * *", "the cron field for the day of the month has 0"),
        ("* * * 13 *", "the cron field for the month has 13"),
        ("* * * * 8", "the cron field for the day of the week has 8"),
        ("* * * * tu", "the cron field for the day of the week has tu, which is no value"),
        ("a * * * *", "the cron field for the minute has a, which is no value"),
        ("-1 * * * *", "the cron field for the minute has an empty part"),
        ("1,,2 * * * *", "the cron field for the minute has an empty part"),
        ("1- * * * *", "the cron field for the minute has an empty part"),
        ("*/0 * * * *", "the cron field for the minute has a step 0 that is not a positive number"),
        ("*/x * * * *", "the cron field for the minute has a step x that is not a positive number"),
        ("5-1 * * * *", "the cron field for the minute has a range 5-1 that ends before it begins"),
        ("0 0 * * fri-mon", "the cron field for the day of the week has a range fri-mon that ends before it begins"),
        ("0 0 ? * *", "the cron field for the day of the month has ?, which is no value"),
        ("0 0 L * *", "the cron field for the day of the month has L, which is no value"),
        ("٣ * * * *", "the cron field for the minute has ٣, which is no value"),
        ("0 0 30 2 *", "the cron expression 0 0 30 2 * never comes true"),
        ("0 0 31 4,6,9,11 *", "the cron expression 0 0 31 4,6,9,11 * never comes true"),
        ("@reboot", "@reboot is no cron expression"),
    ])
    func refuses(_ text: String, _ message: String) throws {
        let error = try #require(throws: FleetError.self) { try CronExpression(parsing: text) }
        #expect(error.code == .configuration)
        #expect(error.message == message)
        #expect(error.hint != nil)
    }

    @Test func nextIsLaterAndFits() throws {
        var random = SplitMix(state: 5)
        let fields: [[String]] = [
            ["*", "0", "*/7", "3,33", "10-50/20"], ["*", "23", "0-6", "*/5"], ["*", "1", "31", "29,30", "*/9"],
            ["*", "feb", "4-6", "1,12"], ["*", "0", "7", "mon-fri", "sat"],
        ]
        for _ in 0..<500 {
            let text = fields.map { $0[Int.random(in: 0..<$0.count, using: &random)] }.joined(separator: " ")
            guard let cron = try? CronExpression(parsing: text) else { continue }
            var time = Timestamp(microseconds: Int64.random(in: 0...4_000_000_000_000_000, using: &random))
            for _ in 0..<3 {
                guard let next = cron.next(after: time) else { break }
                #expect(next > time)
                #expect(next.microseconds % 60_000_000 == 0)
                // Nothing that fits lies between: the same answer from just before it.
                #expect(cron.next(after: next - .microseconds(1)) == next)
                time = next
            }
        }
    }

    @Test func randomTextsAreReadOrRefused() {
        var random = SplitMix(state: 6)
        let alphabet = Array("0123456789*/,- @abcdefL?#é\t")
        for _ in 0..<5000 {
            let text = String(
                (0..<Int.random(in: 0...20, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                })
            _ = try? CronExpression(parsing: text).next(after: Timestamp(microseconds: 0))
        }
    }
}

/// A generator whose numbers are the same in every run, so that a failure can be looked at again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
