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
            Two PostgreSQL servers and a live application, from the fleet.yaml of fleet's own source. Everything is
            under .fleet/demo beside it; the servers answer on Unix sockets there. Needs Debian's postgresql package.
            It leaves the fleet running, to play with.

              fleet demo               tell the story
              fleet demo --clean       stop everything and remove it
            """)

    @Flag(help: "Stop the demo's servers and applications, and remove their files.") var clean = false
    @OptionGroup(title: "Options of every command") var global: GlobalOptions

    func run(_ session: Session) async throws -> ExitStatus {
        let configuration = try await session.configuration()
        try check(configuration)
        let directory = "\(ConfigurationFile.folder(of: configuration.path))/.fleet/demo"
        return clean ? try await remove(directory, session) : try await tell(directory, configuration, session)
    }

    /// The story is of this fleet and no other: nobody's servers are taken for the demo's.
    private func check(_ configuration: FleetConfiguration) throws {
        let isDemo =
            configuration.instances.keys.sorted() == ["shop-dev", "shop-prod"]
            && configuration.instances.values.allSatisfy {
                $0.platform.string("dataDirectory")?.contains("/.fleet/demo/") == true
            }
        guard isDemo else {
            throw FleetError(
                .refused, "\(configuration.path) is not the demo's fleet.yaml",
                hint: "run it in a clone of fleet's source, or name its fleet.yaml with --config")
        }
    }

    private func tell(
        _ directory: String, _ configuration: FleetConfiguration, _ session: Session
    ) async throws -> ExitStatus {
        guard try BlockingDisk.status(directory) == nil else {
            throw FleetError(
                .alreadyExists, "the demo's fleet is there already, in \(directory)",
                hint: "look at it with: fleet status; remove it with: fleet demo --clean")
        }
        let start = ContinuousClock.now
        let layout = try await DemoLayout.prepare(beside: configuration.path)
        let coordinator = try await session.coordinator()
        let voice = DemoVoice(console: session.console)
        try await DemoStory(coordinator: coordinator, layout: layout, voice: voice).tell()
        voice.chapter(
            "Told in \(DurationText.text(ContinuousClock.now - start)).", "The fleet goes on running. Play with it:")
        // Nobody has installed it yet who has only built it.
        if try !Executable.isInPath() { voice.say(StyledText("  alias fleet=\(try Executable.path())", .strong)) }
        for line in Self.suggestions { voice.say(StyledText("  \(line)")) }
        return .done
    }

    private static let suggestions = [
        "fleet status                                              how everything is",
        "fleet window                                              to what times it can be restored",
        "fleet restore --cluster prod --target -30s                once more, and be asked first",
        "fleet restore --instance shop-prod --target -30s --into copy      beside it",
        "fleet runs list                                           then: fleet runs undo ID",
        "fleet demo --clean                                        stop and remove it all",
    ]

    private func remove(_ directory: String, _ session: Session) async throws -> ExitStatus {
        guard try BlockingDisk.status(directory) != nil else {
            session.console.say(StyledText("there is no demo in \(directory)"))
            return .done
        }
        try await DemoCleaner(coordinator: try await session.coordinator(), directory: directory).stop()
        await session.close()
        try DemoCleaner.removeFiles(directory)
        session.console.say(StyledText("removed \(directory)"))
        return .done
    }
}
