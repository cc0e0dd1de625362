import ArgumentParser
import FleetCoordinator
import FleetPluginAPI
import TerminalUI

/// `fleet backups verify`
struct BackupsVerify: FleetVerb {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read backups and WAL again, and compare them with what was written.",
        discussion: """
            Exit status 1 when anything does not fit. --quick looks whether all is there and has the size that it should \
            have; --sample reads so many percent of it, others each time.

              fleet backups verify orders
              fleet backups verify orders --sample 5
            """)

    @Argument(help: "The instance.") var instance: String
    @Argument(help: ArgumentHelp("Backups; all, and the whole archive, when left out.", valueName: "label"))
    var labels: [String] = []
    @Flag(help: "Read no content: look whether all is there.") var quick = false
    @Option(help: ArgumentHelp("Read this much of the content.", valueName: "percent")) var sample: Int?
    @Option(help: ArgumentHelp("The repository; else the instance's first.", valueName: "name")) var repository: String?
    @OptionGroup var global: GlobalOptions

    /// How much is read, in percent.
    private var share: Int { quick ? 0 : sample ?? 100 }

    func validate() throws {
        if quick, sample != nil { throw ValidationError("--quick reads no content, and --sample some: choose one") }
        if let sample, !(1...100).contains(sample) { throw ValidationError("--sample is from 1 to 100 percent") }
    }

    func run(_ session: Session) async throws -> ExitStatus {
        let coordinator = try await session.coordinator()
        return try await RepositoryReport.show("verified", session) { [instance, labels, share, repository] printer in
            try await coordinator.verifyBackups(
                of: instance, backups: labels, share: share, repository: repository, observer: printer)
        }
    }
}

/// What work on a repository found or did, in JSON.
struct RepositoryReport: Displayable {
    var instance: String
    var repository: String
    /// In the engine's words.
    var report: JSONValue
    var failure: FleetError?
    /// `verified`, `expired`, `copied`, `repaired`.
    var verb: String

    /// Carries work out with its progress on the terminal, until it is done or stopped by a signal, and shows its report.
    static func show(
        _ verb: String, _ session: Session, _ work: @escaping @Sendable (RunPrinter) async throws -> RepositoryWork
    ) async throws -> ExitStatus {
        let printer = RunPrinter(session.console)
        let done: RepositoryWork
        do {
            done = try await Signals.stoppable(onFirst: {}) { try await work(printer) }
        } catch {
            await printer.end()
            throw error
        }
        await printer.end()
        try session.console.show(RepositoryReport(done, verb: verb))
        return done.failure == nil ? .done : .failed
    }

    init(_ work: RepositoryWork, verb: String) {
        instance = work.instance
        repository = work.repository
        report = work.report
        failure = work.failure
        self.verb = verb
    }

    func lines(_ page: Page) -> [StyledText] {
        var lines = [
            (failure == nil ? StyledText("ok", .good) : StyledText("not sound", .bad))
                + StyledText("  \(instance) in \(repository)")
                + StyledText(report["isDryRun"]?.bool == true ? "  (nothing was changed)" : "", .faint)
        ]
        var card = Card(page)
        for (name, value) in (report.object ?? [:]).sorted(by: { $0.key < $1.key }) where name != "isDryRun" {
            card.add(Self.words(name), Self.text(value, of: name))
        }
        lines += card.lines
        for finding in report["findings"]?.array ?? [] { lines += findingLines(finding, page) }
        for backup in report["damaged"]?.array ?? [] {
            let text = "\(backup["label"]?.string ?? ""): \(backup["cause"]?.string ?? "")"
            lines += Paragraph.lines("- ", text, page, .bad)
        }
        if let failure { lines += ErrorLines.lines(failure, width: page.width) }
        return lines
    }

    private func findingLines(_ finding: JSONValue, _ page: Page) -> [StyledText] {
        let object = finding["object"]?.string ?? ""
        let message = finding["error"]?["message"]?.string ?? finding.string ?? ""
        return Paragraph.lines("- ", "\(object): \(message)", page, .bad)
    }

    /// `archivedFiles` as `archived files`.
    private static func words(_ name: String) -> String {
        name.replacing("WAL", with: " WAL").reduce(into: "") { words, letter in
            let startsWord = letter.isUppercase && !words.hasSuffix(" ") && words.last?.isUppercase == false
            words += startsWord ? " \(letter.lowercased())" : String(letter)
        }
    }

    private static func text(_ value: JSONValue, of name: String) -> String {
        switch value {
        case .integer(let number) where name == "bytes" || name == "freed": ByteSize.text(number)
        case .integer(let number): MemberLines.grouped(Int(number))
        case .number(let number): "\(number)"
        case .string(let text): text
        case .bool(let flag): flag ? "yes" : "no"
        case .null: "nothing"
        case .array(let items) where items.isEmpty: "none"
        case .array(let items): texts(items)
        case .object(let members): "\(members.count)"
        }
    }

    private static func texts(_ items: [JSONValue]) -> String {
        let texts = items.compactMap(\.string)
        guard texts.count == items.count else { return "\(items.count)" }
        return texts.count <= 8
            ? texts.joined(separator: ", ") : "\(texts.count), from \(texts[0]) to \(texts[texts.count - 1])"
    }
}
