/// Tells people.
public protocol Notifier: Sendable {
    /// Delivers once; what cannot be delivered is an error that the run reports and goes on from.
    func notify(_ notice: Notice) async throws
}

public struct Notice: Hashable, Sendable, Codable {
    public enum Event: String, Hashable, Sendable, Codable, CaseIterable {
        case runStarted, runFinished, runFailed, runAborted, approvalNeeded
    }

    public var event: Event
    public var time: Timestamp
    /// The run, by its id.
    public var run: String
    /// One line.
    public var title: String
    /// What happened and what to do next.
    public var text: String
    public var details: JSONValue

    public init(
        event: Event, time: Timestamp, run: String, title: String, text: String, details: JSONValue = .null
    ) {
        self.event = event
        self.time = time
        self.run = run
        self.title = title
        self.text = text
        self.details = details
    }
}
