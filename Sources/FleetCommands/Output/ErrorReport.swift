import FleetConfig
import FleetPluginAPI
import TerminalUI

/// What a command failed with: lines for people, an object for programs.
struct ErrorReport: Codable, Sendable {
    var error: FleetError
    /// Every mistake in fleet.yaml, where that is what is wrong.
    var diagnostics: [Diagnostic]?

    init(_ failure: any Error) {
        if let mistakes = failure as? ConfigurationError {
            error = mistakes.fleetError
            error.cause = nil
            diagnostics = mistakes.diagnostics
        } else {
            error = FleetError(failure, "the command failed")
        }
    }

    var status: ExitStatus { error.code.exitStatus }

    func lines(width: Int?) -> [StyledText] {
        (diagnostics ?? []).flatMap(DiagnosticLines.lines) + ErrorLines.lines(error, width: width)
    }
}

/// An error as people read it.
enum ErrorLines {
    /// `error: what`, then why and what to do, each on a line that begins with what it is.
    static func lines(_ error: FleetError, width: Int?) -> [StyledText] {
        var lines = [StyledText("error: ", .bad) + StyledText(error.message, .strong)]
        lines += labelled("cause", error.cause, width)
        lines += labelled("hint", error.hint, width)
        return lines
    }

    private static func labelled(_ label: String, _ text: String?, _ width: Int?) -> [StyledText] {
        guard let text, !text.isEmpty else { return [] }
        let rows = text.split(separator: "\n", omittingEmptySubsequences: true).flatMap {
            DisplayText.wrapped($0, to: (width ?? .max) - 9)
        }
        return rows.enumerated().map { index, row in
            StyledText(index == 0 ? "  \(label): " : "         ", .faint).padded(to: 9) + StyledText(row)
        }
    }
}

/// A mistake in fleet.yaml as people read it.
enum DiagnosticLines {
    /// `fleet.yaml:12:5: instances.orders.policy: there is no policy gld`, and below it what to write.
    static func lines(_ diagnostic: Diagnostic) -> [StyledText] {
        let place =
            diagnostic.line > 0
            ? "\(diagnostic.file):\(diagnostic.line):\(diagnostic.column): " : "\(diagnostic.file): "
        let path = diagnostic.path.isEmpty ? StyledText("") : StyledText(diagnostic.path + ": ", .accent)
        let first = StyledText(place, .strong) + path + StyledText(diagnostic.message)
        return [first] + (diagnostic.hint.map { [StyledText("    hint: ", .faint) + StyledText($0)] } ?? [])
    }
}
