public import FleetPluginAPI

// PostgreSQL source: readTimeLineHistory in src/backend/access/transam/timeline.c.
extension TimelineHistory {
    /// Reads a `.history` file.
    ///
    /// - Parameter timeline: the one in the file's name; the file itself lists only its ancestors.
    /// - Throws: `corrupted` for lines that are not `timeline position reason`, or timelines out of order.
    public init(file bytes: [UInt8], timeline: TimelineID) throws(FleetError) {
        self.init(timeline: timeline)
        guard bytes.count <= 16 << 20 else { throw corrupted("it has \(bytes.count) bytes") }
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: true) {
            // The reason may quote a restore point's name in any encoding.
            let text = String(decoding: line, as: UTF8.self)
            let content = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let first = content.first, first != "#" else { continue }
            let fields = content.split(maxSplits: 2, omittingEmptySubsequences: true) { $0 == "\t" || $0 == " " }
            guard fields.count >= 2, let ancestor = UInt32(fields[0]), ancestor > 0, let lsn = LSN(fields[1]) else {
                throw corrupted("a line is not a timeline and a position")
            }
            // Positions may go back: recovery along timeline 2 that stops before 2 left 1 is promoted with a history
            // that says 1 was left there and 2 before it. The path through 2 is empty then.
            guard ancestor > ancestors.last?.timeline ?? 0 else {
                throw corrupted("timeline \(ancestor) is out of order")
            }
            ancestors.append(
                Ancestor(timeline: ancestor, switchLSN: lsn, reason: fields.count > 2 ? String(fields[2]) : ""))
        }
        guard ancestors.last.map({ $0.timeline < timeline }) ?? true else {
            throw corrupted("it lists itself or a younger timeline")
        }
    }

    private func corrupted(_ cause: String) -> FleetError {
        FleetError(
            .corrupted, "the timeline history \(TimelineHistory.fileName(of: timeline)) is damaged", cause: cause)
    }

    /// The file as PostgreSQL writes it, without comments.
    public var fileBytes: [UInt8] {
        Array(
            ancestors.map { "\($0.timeline)\t\($0.switchLSN)\t\($0.reason.replacing("\n", with: " "))\n" }.joined().utf8
        )
    }
}
