public import FleetPluginAPI
public import PostgresFormats

/// Reads WAL of one instance exactly: what the archive's summaries cannot decide, the segments themselves do.
public protocol WALReader: Sendable {
    /// The events whose records begin in this segment, in order. `next` gives the rest of a record that goes on in
    /// the following segment; nil when there is none.
    func events(in segment: WALSegmentName, next: WALSegmentName?) async throws -> [WALEvent]
    /// A summary for a segment whose repository keeps none.
    func summary(of segment: WALSegmentName, next: WALSegmentName?) async throws -> WALSegmentSummary
}
