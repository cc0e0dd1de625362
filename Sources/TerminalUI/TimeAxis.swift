public import FleetPluginAPI

/// Spans of time and marks on them, drawn in rows above one axis.
public struct TimeAxis: Sendable {
    public struct Span: Hashable, Sendable {
        var start: Timestamp
        var end: Timestamp
        var style: StyledText.Style

        public init(_ start: Timestamp, _ end: Timestamp, _ style: StyledText.Style = .plain) {
            self.start = start
            self.end = end
            self.style = style
        }
    }

    public struct Mark: Hashable, Sendable {
        var time: Timestamp
        var symbol: Character
        var style: StyledText.Style

        public init(_ time: Timestamp, _ symbol: Character, _ style: StyledText.Style = .plain) {
            self.time = time
            self.symbol = symbol
            self.style = style
        }
    }

    public struct Row: Hashable, Sendable {
        var label: String
        var spans: [Span]
        var marks: [Mark]

        public init(_ label: String, spans: [Span], marks: [Mark] = []) {
            self.label = label
            self.spans = spans
            self.marks = marks
        }
    }

    private let start: Timestamp
    private let end: Timestamp
    private let rows: [Row]

    /// - Parameter end: drawn as `now`.
    public init(from start: Timestamp, now end: Timestamp, rows: [Row]) {
        self.start = min(start, end)
        self.end = end
        self.rows = rows
    }

    /// - Parameter width: columns at hand, labels included.
    public func lines(width: Int, indent: Int = 2) -> [StyledText] {
        let labels = rows.map { DisplayText.columns(of: $0.label) }.max() ?? 0
        let scale = Scale(start: start, end: end, columns: max(20, width - indent - labels - 2))
        let margin = String(repeating: " ", count: indent)
        let drawn = rows.map { row in
            StyledText(margin) + StyledText(row.label, .faint).padded(to: labels + 2) + draw(row, scale)
        }
        let ticks = scale.ticks()
        return drawn
            + ticks.map { StyledText(margin + String(repeating: " ", count: labels + 2)) + StyledText($0, .faint) }
    }

    private func draw(_ row: Row, _ scale: Scale) -> StyledText {
        var cells = [(Character, StyledText.Style)](repeating: (" ", .plain), count: scale.columns)
        for span in row.spans {
            let first = scale.column(of: span.start)
            let last = max(first, scale.column(of: span.end))
            for column in first...last { cells[column] = ("━", span.style) }
            if last > first {
                cells[first] = ("┣", span.style)
                cells[last] = ("┫", span.style)
            }
        }
        for mark in row.marks where mark.time >= start && mark.time <= end {
            cells[scale.column(of: mark.time)] = (mark.symbol, mark.style)
        }
        while cells.last?.0 == " " { cells.removeLast() }
        return cells.reduce(into: "") { $0 += StyledText(String($1.0), $1.1) }
    }
}

/// Which column a moment has, and where the axis is labelled.
struct Scale {
    var start: Timestamp
    var end: Timestamp
    var columns: Int

    private var span: Int64 { max(1, end.microseconds - start.microseconds) }

    func column(of time: Timestamp) -> Int {
        let offset = Double(time.microseconds - start.microseconds) / Double(span)
        return min(columns - 1, max(0, Int((offset * Double(columns - 1)).rounded())))
    }

    /// The axis and its labels, the present at the right end.
    func ticks() -> [String] {
        let step = Self.steps.first { Double(span) / Double($0) * Double(labelWidth($0) + 3) <= Double(columns) }
        var axis = [Character](repeating: "─", count: columns)
        var labels = [Character](repeating: " ", count: columns)
        axis[columns - 1] = "┤"
        place("now", at: columns - 1, in: &labels)
        if let step {
            var tick = (start.microseconds + step - 1) / step * step
            var previous = ""
            while tick < end.microseconds {
                let time = Timestamp(microseconds: tick)
                let column = column(of: time)
                if place(label(time, step, after: previous), at: column, in: &labels) {
                    axis[column] = "┬"
                    previous = time.dayText
                }
                tick += step
            }
        }
        return [String(axis), String(labels)]
    }

    /// Centres a label at a column, moved to stay inside; returns whether there was room.
    @discardableResult
    private func place(_ label: String, at column: Int, in cells: inout [Character]) -> Bool {
        let first = min(max(0, column - label.count / 2), columns - label.count)
        guard first >= 0 else { return false }
        let around = max(0, first - 1)..<min(columns, first + label.count + 1)
        guard cells[around].allSatisfy({ $0 == " " }) else { return false }
        for (offset, character) in label.enumerated() { cells[first + offset] = character }
        return true
    }

    /// `12-18` for days, `10:30` within one day, both where the day changes.
    private func label(_ time: Timestamp, _ step: Int64, after day: String) -> String {
        let date = String(time.dayText.dropFirst(5))
        if step >= Self.day { return date }
        let clock = step < Self.minute ? time.clockText : String(time.clockText.prefix(5))
        return time.dayText == day ? clock : "\(date) \(clock)"
    }

    private func labelWidth(_ step: Int64) -> Int {
        step >= Self.day ? 5 : 11
    }

    private static let second: Int64 = 1_000_000
    private static let minute = 60 * second
    private static let hour = 60 * minute
    private static let day = 24 * hour
    private static let steps: [Int64] = [
        second, 5 * second, 15 * second, 30 * second, minute, 5 * minute, 15 * minute, 30 * minute, hour, 3 * hour,
        6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 90 * day, 365 * day,
    ]
}
