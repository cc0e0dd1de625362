import FleetPluginAPI
import PostgresFormats

/// Puts together what segment summaries say of a record that crosses their boundary.
enum WALJoin {
    static func summary(
        of segment: Catalog.ArchivedSegment, next: Catalog.ArchivedSegment?, reader: any WALReader
    ) async throws -> WALSegmentSummary {
        guard let summary = segment.summary else {
            return try await reader.summary(of: segment.name, next: next?.name)
        }
        guard let following = next?.summary else { return summary }
        return summary
    }
}
