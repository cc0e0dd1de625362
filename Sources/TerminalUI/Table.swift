/// Rows under headings, as wide as their content, or shortened to fit.
public struct Table: Sendable {
    public struct Column: Sendable {
        public enum Alignment: Sendable { case left, right }

        var title: String
        var alignment: Alignment
        /// The least columns that it may be shortened to; nil when it must be shown whole.
        var minimum: Int?

        public init(_ title: String, _ alignment: Alignment = .left, shrinksTo minimum: Int? = nil) {
            self.title = title
            self.alignment = alignment
            self.minimum = minimum
        }
    }

    private let columns: [Column]
    private var rows: [[StyledText]] = []

    public init(_ columns: [Column]) {
        self.columns = columns
    }

    public var isEmpty: Bool { rows.isEmpty }

    /// - Parameter cells: one for each column; missing ones are blank.
    public mutating func add(_ cells: [StyledText]) {
        rows.append(
            Array(cells.prefix(columns.count)) + Array(repeating: "", count: max(0, columns.count - cells.count)))
    }

    /// - Parameters:
    ///   - width: columns at hand; nil for as many as it takes, as when another program reads it.
    ///   - indent: blanks before each line.
    public func lines(width: Int?, indent: Int = 0) -> [StyledText] {
        let headings = columns.map { StyledText($0.title, .faint) }
        let natural = columns.indices.map { index in
            ([headings[index]] + rows.map { $0[index] }).map(\.columns).max() ?? 0
        }
        let widths = width.map { fitted(natural, to: $0 - indent - 2 * (columns.count - 1)) } ?? natural
        return ([headings] + rows).map { line($0, widths, indent) }
    }

    private func line(_ cells: [StyledText], _ widths: [Int], _ indent: Int) -> StyledText {
        var line = StyledText(String(repeating: " ", count: indent))
        let last = cells.lastIndex { !$0.isEmpty } ?? 0
        for (index, cell) in cells.enumerated() where index <= last {
            let short = cell.truncated(to: widths[index])
            if index > 0 { line += "  " }
            switch columns[index].alignment {
            case .right: line += short.paddedLeft(to: widths[index])
            case .left: line += index == last ? short : short.padded(to: widths[index])
            }
        }
        return line
    }

    /// Takes columns from the widest that may give some, one at a time, until all fit or none can give.
    private func fitted(_ natural: [Int], to available: Int) -> [Int] {
        var widths = natural
        while widths.reduce(0, +) > available {
            let givers = columns.indices.filter { index in columns[index].minimum.map { widths[index] > $0 } ?? false }
            guard let widest = givers.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
        }
        return widths
    }
}
