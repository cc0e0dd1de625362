import FleetPluginAPI

/// What a server's own `archive_command` says of the pgBackRest that archives it.
struct ArchiveCommandHint: Hashable, Sendable {
    /// Of `--config`; nil for its default place.
    var configuration: String?

    /// Nil when nothing there calls pgBackRest.
    ///
    /// - Parameter text: configuration files of PostgreSQL, the strongest last.
    init?(_ text: String) {
        let commands = text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " || $0 == "\t" } }
            .filter { $0.hasPrefix("archive_command") && $0.contains("pgbackrest") }
        guard let command = commands.last else { return nil }
        let separators: Set<Character> = [" ", "\t", "'", "\"", "="]
        let words = command.split(whereSeparator: { separators.contains($0) }).map(String.init)
        configuration = words.firstIndex(of: "--config").flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }

    /// Reads the files beside the data, and the one elsewhere that the server was started with, as Debian does it.
    static func read(in directory: String, _ ask: EngineContext.Ask) async -> ArchiveCommandHint? {
        func text(_ files: [String]) async -> String {
            // A file that is missing is no matter: `cat` goes on with the next.
            let answer = try? await ask(PlaceQuery(argv: ["cat", "--"] + files))
            return answer.map { String(decoding: $0.output, as: UTF8.self) } ?? ""
        }
        let here = ["postgresql.conf", "postgresql.auto.conf"].map { "\(directory)/\($0)" }
        let started = await text(["\(directory)/postmaster.opts"])
        guard let option = started.firstRange(of: "config_file=") else { return ArchiveCommandHint(await text(here)) }
        let elsewhere = String(started[option.upperBound...].prefix { $0 != "\"" && !$0.isWhitespace })
        return ArchiveCommandHint(await text([elsewhere] + here.suffix(1)))
    }
}
