import ArgumentParser
import DurableFiles
import FleetConfig
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet demo`
struct DemoCommand: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "A small fleet on this machine, damaged and restored before your eyes.",
        discussion: """
            Two PostgreSQL servers and a live application, from the fleet.yaml of fleet's own source. Everything is \
            under .fleet/demo beside that file; the servers answer on Unix sockets there and on nothing else. Needs \
            Debian's postgresql package. It leaves the fleet running, to play with.

              fleet demo --clean       stop it and remove it
            """)

    @Flag(help: "Stop the demo's servers and applications, and remove their files.") var clean = false
    @OptionGroup var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let console = session.console
        let file = try await session.configuration().path
        let directory = "\(ConfigurationFile.folder(of: file))/.fleet/demo"
        if try BlockingDisk.status(directory) != nil {
            try await DemoCleaner(coordinator: try await session.coordinator(), directory: directory).clean()
            // The state went with everything else.
            await session.close()
        }
        guard !clean else {
            console.say(StyledText("done", .good) + "  the demo is gone")
            return .done
        }
        // Before the state is opened: the place must be one that the servers' user can reach.
        let layout = try await DemoLayout.prepare(beside: file)
        let coordinator = try await session.coordinator()
        try await DemoStory(coordinator: coordinator, layout: layout, voice: Self.voice(console)).tell()
        Self.invite(layout, console)
        return .done
    }

    private static func voice(_ console: Console) -> DemoVoice {
        let terminal = console.error
        let page = Page(width: terminal.width, isVerbose: false)
        let text: @Sendable ([StyledText]) -> String = { lines in
            lines.map { $0.rendered(coloured: terminal.hasColours) }.joined(separator: "\n")
        }
        return DemoVoice(
            say: { terminal.write($0 + "\n") },
            bold: { StyledText($0, .strong).rendered(coloured: terminal.hasColours) },
            dim: { StyledText($0, .faint).rendered(coloured: terminal.hasColours) },
            renderPlan: { plan in (try? PlanView(plan)).map { text($0.lines(page)) } ?? plan.title },
            renderWindows: { windows, now in text(WindowReport(windows, now: now).lines(page)) },
            observer: { _ in RunPrinter(console) })
    }

    /// How to play with what is left running.
    private static func invite(_ layout: DemoLayout, _ console: Console) {
        console.say("")
        console.say(StyledText("It is all still running", .strong) + StyledText("  try, here:", .faint))
        let commands = [
            ("fleet status", "how everything is"),
            ("fleet window", "the times it can be restored to"),
            ("fleet restore --instance shop-prod --target -30s", "again, with its plan and a question"),
            ("fleet runs list", "what was done; fleet runs undo RUN takes a restore back"),
            ("psql -h \(layout.sockets("prod")) -U postgres shop", "the restored database"),
            ("fleet demo --clean", "stop it and remove it"),
        ]
        for (command, purpose) in commands {
            console.say(StyledText("  ") + StyledText(command, .accent) + StyledText("  \(purpose)", .faint))
        }
    }
}
