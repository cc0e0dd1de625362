@testable import FleetCommands
import TerminalUI

/// What a value looks like on 80 columns without colours.
func shown(_ value: some Displayable, width: Int? = 80, verbose: Bool = false) -> String {
    value.lines(Page(width: width, isVerbose: verbose)).map { $0.rendered(coloured: false) }.joined(separator: "\n")
}

/// Columns of the widest line.
func widest(_ text: String) -> Int {
    text.split(separator: "\n").map { DisplayText.columns(of: $0) }.max() ?? 0
}
