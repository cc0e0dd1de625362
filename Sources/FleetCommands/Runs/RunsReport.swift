import ArgumentParser
import DurableFiles
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet runs report`
struct RunsReport: FleetVerb {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case html, markdown
    }

    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write the record of a run, for the review of an incident.",
        discussion: """
            What was planned, decided, done and proven, with a drawing of when. One file that needs nothing else.

              fleet runs report r-20251218-1030 --out restore.html
              fleet runs report r-20251218-1030 --format markdown
            """)

    @Argument(help: "The run.") var run: String
    @Option(help: "html or markdown; by the name of the file, else markdown.") var format: Format?
    @Option(
        help: ArgumentHelp("The file; standard output without it.", valueName: "file"),
        completion: .file(extensions: ["html", "md"]))
    var out: String?
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let document = try await RunDocument.read(run, try await session.coordinator())
        let isPage = format.map { $0 == .html } ?? (out?.hasSuffix(".html") == true)
        let text = isPage ? RunHTML.text(document) : RunMarkdown.text(document)
        guard let out else {
            session.console.output.write(text)
            return .done
        }
        try await Disk().write(Array(text.utf8), to: Process.absolute(out), WriteOptions(replaces: true, mode: 0o644))
        session.console.say(StyledText("written to \(out)"))
        return .done
    }
}
