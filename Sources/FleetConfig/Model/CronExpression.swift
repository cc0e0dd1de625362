/// A schedule of five fields, as cron has them.
public struct CronExpression: Hashable, Sendable {
    /// As written.
    public var text: String

    init(unchecked text: String) {
        self.text = text
    }
}
