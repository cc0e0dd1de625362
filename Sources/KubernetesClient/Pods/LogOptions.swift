public import FleetPluginAPI

/// Which part of a container's log.
public struct LogOptions: Hashable, Sendable {
    /// Goes on until the container has ended; waits for one that has not started.
    public var follow: Bool
    /// Of the container before the last restart.
    public var previous: Bool
    /// The last lines that are there now, and what follows.
    public var tailLines: Int?
    /// What was written from then on.
    public var since: Timestamp?

    public init(follow: Bool = false, previous: Bool = false, tailLines: Int? = nil, since: Timestamp? = nil) {
        self.follow = follow
        self.previous = previous
        self.tailLines = tailLines
        self.since = since
    }
}

/// A line of a container's log; its two streams are one here.
public struct LogLine: Hashable, Sendable {
    /// When the node read it.
    public var time: Timestamp
    /// Without its line feed.
    public var text: String

    public init(time: Timestamp, text: String) {
        self.time = time
        self.text = text
    }
}
