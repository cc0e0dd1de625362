public import FleetPluginAPI

/// A WAL segment's file: what it is called, and its bytes.
public struct WALSegmentFile: Sendable {
    public var name: WALSegmentName
    public var bytes: [UInt8]

    public init(name: WALSegmentName, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

extension WALScanner {
    /// Scans segments as `next` yields them, until it yields nil, the visitor stops it, or the records stop.
    ///
    /// - Parameters:
    ///   - next: the segments of one path of recovery, in order, each the successor of the one before.
    ///   - start: events of records that begin before it are not reported.
    /// - Returns: how the last segment ended; nil when there was none.
    /// - Throws: what `next` throws, and what `scan(_:name:_:)` does.
    @discardableResult
    public mutating func scan(
        _ next: () async throws -> WALSegmentFile?, from start: LSN = .zero, _ visit: (WALEvent) -> Step
    ) async throws -> Outcome? {
        while let file = try await next() {
            let outcome = try scan(file.bytes, name: file.name) { $0.start < start ? .proceed : visit($0) }
            guard outcome.ending != .stopped else { break }
        }
        return outcome
    }

    /// The first event for which `predicate` holds, such as `{ $0.endsRecovery(toTime: target) }`; nil when there is
    /// none. See `scan(_:from:_:)`.
    public mutating func first(
        in next: () async throws -> WALSegmentFile?, from start: LSN = .zero, where predicate: (WALEvent) -> Bool
    ) async throws -> WALEvent? {
        var found: WALEvent?
        try await scan(next, from: start) { event in
            guard predicate(event) else { return .proceed }
            found = event
            return .stop
        }
        return found
    }
}
