import FleetPluginAPI
import PostgresFormats

/// Reads segments through an instance's engine, or from what was read off the running server.
struct EngineWALReader: WALReader {
    let engine: any Engine
    let context: EngineContext
    let tail: [WALSegmentName: [UInt8]]

    func events(in segment: WALSegmentName, next: WALSegmentName?) async throws -> [WALEvent] {
        var scanner = WALScanner()
        var events: [WALEvent] = []
        for name in [segment] + (next.map { [$0] } ?? []) {
            try scanner.scan(try await bytes(of: name), name: name) { event in
                guard event.start < segment.end else { return .stop }
                events.append(event)
                return .proceed
            }
        }
        return events
    }

    func summary(of segment: WALSegmentName, next: WALSegmentName?) async throws -> WALSegmentSummary {
        var summary = try await summary(of: segment)
        if let next {
            var following = try await self.summary(of: next)
            WALSegmentSummary.join(previous: &summary, next: &following)
        }
        return summary
    }

    private func summary(of segment: WALSegmentName) async throws -> WALSegmentSummary {
        if tail[segment] == nil, let known = try await engine.summary(of: segment, context) { return known }
        return try WALSegment(try await bytes(of: segment), name: segment).summary
    }

    private func bytes(of segment: WALSegmentName) async throws -> [UInt8] {
        if let bytes = tail[segment] { return bytes }
        return try await engine.segment(segment, context)
    }
}
