public import FleetPluginAPI

/// A WAL segment, read.
public struct WALSegment: Hashable, Sendable {
    public var header: WALSegmentHeader
    public var summary: WALSegmentSummary
    /// Why the records stop before the end of the segment; nil when they fill it or WAL was switched.
    public var reason: String?

    /// Reads a segment from its first record on.
    ///
    /// - Parameters:
    ///   - name: what the file is called, to be checked against its header.
    ///   - acceptingNewer: see `WALSegmentHeader`.
    /// - Throws: `corrupted` for bytes that are not a segment, or not that one; `unsupported` for versions that cannot
    ///   be read. Damage further on is no error: the records end before it.
    public init(
        _ bytes: [UInt8], name: WALSegmentName? = nil, acceptingNewer: Bool = false
    ) throws(FleetError) {
        self = try bytes.span.withUnsafeBytes { (bytes) throws(FleetError) in
            try WALSegment(bytes, name: name, acceptingNewer: acceptingNewer)
        }
    }

    /// See `init(_:name:acceptingNewer:)` over an array.
    public init(
        _ bytes: UnsafeRawBufferPointer, name: WALSegmentName? = nil, acceptingNewer: Bool = false
    ) throws(FleetError) {
        header = try WALSegmentHeader(bytes, name: name, acceptingNewer: acceptingNewer)
        var summary = WALSegmentSummary(
            systemIdentifier: header.systemIdentifier, majorVersion: header.majorVersion, endOfRecords: header.start)
        var scanner = WALScanner(acceptingNewer: acceptingNewer)
        let outcome = try scanner.scan(bytes, name: name) { event in
            summary.add(event)
            return .proceed
        }
        summary.ending = outcome.ending
        summary.endOfRecords = outcome.endOfRecords
        summary.continuation = scanner.continuation
        // A continuation that goes on is no beginning.
        summary.unfinished = scanner.pending.flatMap { [header] record in
            record.isHeadless ? nil : record.part(endingAt: header.name.end)
        }
        self.summary = summary
        reason = outcome.reason
    }
}

extension WALSegmentSummary {
    /// Adds what a record says, which lies behind those added before.
    mutating func add(_ event: WALEvent) {
        switch event.kind {
        case .transactionEnd(let xid, let time, let isCommit, _):
            if isCommit { commits += 1 } else { aborts += 1 }
            let end = TransactionEnd(start: event.start, end: event.end, time: time, xid: xid, isCommit: isCommit)
            if first == nil { first = end }
            last = end
            earliestTime = min(earliestTime ?? time, time)
            latestTime = max(latestTime ?? time, time)
            lowestXID = min(lowestXID ?? xid, xid)
            highestXID = max(highestXID ?? xid, xid)
        case .restorePoint(let name, let time):
            restorePoints.append(RestorePoint(name: name, time: time, end: event.end))
        case .parameters(let parameters): parameterChanges.append(parameters)
        case .prepared, .checkpoint, .endOfRecovery, .segmentSwitch: break
        }
    }
}
