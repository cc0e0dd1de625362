import FleetConfig
import FleetPluginAPI
import TerminalUI

/// Where a command's answer goes, and where its remarks go.
///
/// The answer is on standard output. What is for people only is on standard error, so that a program reads nothing else
/// than the answer.
struct Console: Sendable {
    let output: Terminal
    let error: Terminal
    let format: OutputFormat
    let isVerbose: Bool

    init(_ options: GlobalOptions) {
        output = Terminal(.output, allowsColours: !options.noColor)
        error = Terminal(.error, allowsColours: !options.noColor)
        format = options.output
        isVerbose = options.verbose
    }

    /// The answer.
    func show(_ value: some Displayable) throws {
        switch format {
        case .table: output.write(value.lines(Page(width: output.width, isVerbose: isVerbose)))
        case .json: output.write(try TextEncoding.json(value))
        case .yaml: output.write(try TextEncoding.yaml(value))
        }
    }

    /// The answer as lines where people read it, on standard error where a program reads the answer.
    func present(_ value: some Displayable) {
        let terminal = format == .table ? output : error
        terminal.write(value.lines(Page(width: terminal.width, isVerbose: isVerbose)))
    }

    /// A remark.
    func say(_ line: StyledText) {
        error.write(line)
    }

    /// A remark for those who asked for more.
    func detail(_ text: String) {
        if isVerbose { error.write(StyledText(text, .faint)) }
    }

    func warn(_ text: String) {
        error.write(StyledText("warning: ", .caution) + StyledText(text))
    }

    /// Reports what a command failed with; returns the exit status that it stands for.
    func report(_ failure: any Error) -> ExitStatus {
        let report = ErrorReport(failure)
        if format == .table {
            error.write(report.lines(width: error.width))
        } else if let text = try? TextEncoding.json(report) {
            error.write(text)
        }
        return report.status
    }
}
