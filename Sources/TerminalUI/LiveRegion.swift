/// The last lines of a terminal, redrawn in place, below lines that stay.
///
/// Where there is no terminal the live lines are not shown; the ones that stay are.
public actor LiveRegion {
    private let terminal: Terminal
    private var live: [StyledText] = []
    private var drawn = 0

    public init(_ terminal: Terminal) {
        self.terminal = terminal
    }

    /// Adds a line above the live ones.
    public func add(_ lines: [StyledText]) {
        guard terminal.isTerminal else { return terminal.write(lines) }
        terminal.write(erasing() + text(lines) + drawing())
    }

    /// Adds lines and replaces the live ones below them at once.
    public func add(_ lines: [StyledText], showing newLive: [StyledText]) {
        live = newLive
        add(lines)
    }

    /// Replaces the live lines.
    public func show(_ lines: [StyledText]) {
        guard terminal.isTerminal, lines != live else { return }
        live = lines
        let erased = erasing()
        terminal.write(erased + drawing())
    }

    /// Removes the live lines; what was added stays.
    public func end() {
        live = []
        guard terminal.isTerminal, drawn > 0 else { return }
        terminal.write(erasing())
    }

    private func erasing() -> String {
        guard drawn > 0 else { return "" }
        defer { drawn = 0 }
        return "\u{1B}[\(drawn)A\r\u{1B}[J"
    }

    private func drawing() -> String {
        // A line that wrapped would take two, and the next redraw would leave one behind.
        let width = (terminal.width ?? 80) - 1
        // What has left the screen at its top cannot be erased any more.
        let shown = live.prefix(max(1, (terminal.height ?? 24) - 1))
        drawn = shown.count
        return text(shown.map { $0.truncated(to: width) })
    }

    private func text(_ lines: [StyledText]) -> String {
        lines.map { terminal.rendered($0) + "\n" }.joined()
    }
}

/// How much of something is done, as a bar.
public enum ProgressBar {
    /// `██████▍───── 52 %`
    ///
    /// - Parameter fraction: 0…1.
    public static func text(_ fraction: Double, columns: Int) -> StyledText {
        let share = min(1, max(0, fraction.isFinite ? fraction : 0))
        let eighths = Int((share * Double(columns) * 8).rounded(.down))
        let full = String(repeating: "█", count: eighths / 8)
        let part = eighths % 8 == 0 ? "" : String(Array("▏▎▍▌▋▊▉")[eighths % 8 - 1])
        let rest = String(repeating: "─", count: columns - full.count - part.count)
        let percent = "\(Int((share * 100).rounded(.down))) %"
        return StyledText(full + part, .accent) + StyledText(rest, .faint)
            + StyledText(" " + String(repeating: " ", count: max(0, 5 - percent.count)) + percent)
    }
}
