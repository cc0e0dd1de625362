import FleetPluginAPI
import PostgresFormats

/// Reads segments through an instance's engine, or from what was read off the running server.
struct EngineWALReader: WALReader {
    let engine: any Engine
    let context: EngineContext
    let tail: [WALSegmentName: [UInt8]]

    func events(in segment: WALSegmentName, next: WALSegmentName?) async throws -> [WALEvent] {
        try WALSummary.events(
            in: try await bytes(of: segment), name: segment, next: try await next.asyncMap(bytes(of:)))
    }

    func summary(of segment: WALSegmentName, next: WALSegmentName?) async throws -> WALSegmentSummary {
        try WALSummary.of(
            try await bytes(of: segment), name: segment, next: try await next.asyncMap(bytes(of:)))
    }

    private func bytes(of segment: WALSegmentName) async throws -> [UInt8] {
        if let bytes = tail[segment] { return bytes }
        return try await engine.segment(segment, context)
    }
}

extension Optional {
    fileprivate func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
