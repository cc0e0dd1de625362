import TerminalUI

/// A value that a command shows: to people as lines, to programs as JSON or YAML.
protocol Displayable: Codable, Sendable {
    /// - Parameter page: what the lines are made for.
    func lines(_ page: Page) -> [StyledText]
}

/// What lines are made for.
struct Page: Sendable {
    /// Columns; nil where nothing should be shortened.
    var width: Int?
    var isVerbose: Bool

    /// Where something must be laid out on any width.
    var columns: Int { width ?? 100 }
}
