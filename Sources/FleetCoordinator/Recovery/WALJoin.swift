import FleetPluginAPI
import PostgresFormats

/// Puts together what segment summaries say of a record that crosses their boundary.
enum WALJoin {
    static func summary(
        of segment: Catalog.ArchivedSegment, next: Catalog.ArchivedSegment?, reader: any WALReader
    ) async throws -> WALSegmentSummary {
        guard var summary = segment.summary else {
            return try await reader.summary(of: segment.name, next: next?.name)
        }
        guard let next else { return summary }
        var following: WALSegmentSummary
        if let known = next.summary {
            following = known
        } else if summary.unfinished != nil {
            following = try await reader.summary(of: next.name, next: nil)
        } else {
            return summary
        }
        switch WALSegmentSummary.join(previous: &summary, next: &following) {
        case .nothing, .joined, .abandoned: return summary
        case .mismatched:
            throw FleetError(
                .corrupted,
                "the WAL segments \(segment.name) and \(next.name) do not follow one another",
                hint: "check the repository: fleet backups verify")
        }
    }
}
