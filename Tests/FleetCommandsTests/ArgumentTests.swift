import ArgumentParser
@testable import FleetCommands
import FleetCoordinator
import FleetPluginAPI
import FleetStore
import Testing

@Suite("Command lines")
struct ArgumentTests {
    private func parse<Command: ParsableCommand>(_ type: Command.Type, _ line: String) throws -> Command {
        try #require(try FleetCommand.parseAsRoot(line.split(separator: " ").map(String.init)) as? Command)
    }

    private func refuses(_ line: String, saying words: String) {
        do {
            _ = try FleetCommand.parseAsRoot(line.split(separator: " ").map(String.init))
            Issue.record("\(line) was accepted")
        } catch {
            #expect(FleetCommand.fullMessage(for: error).contains(words), "\(FleetCommand.fullMessage(for: error))")
        }
    }

    @Test("global options stand before or after the verb")
    func global() throws {
        for line in [
            "--config f.yaml -o json --no-color -v status", "status --config f.yaml -o json --no-color -v",
            "--config f.yaml status -o json --no-color --verbose",
        ] {
            let command = try parse(StatusCommand.self, line)
            #expect(command.global.config == "f.yaml")
            #expect(command.global.output == .json)
            #expect(command.global.noColor)
            #expect(command.global.verbose)
        }
        #expect(try parse(StatusCommand.self, "status").global.output == .table)
        refuses("status -o csv", saying: "csv")
    }

    @Test("every verb is found", arguments: verbs)
    func found(_ line: String, _ name: String) throws {
        let command = try FleetCommand.parseAsRoot(line.split(separator: " ").map(String.init))
        #expect("\(type(of: command))" == name)
        #expect(command is any FleetVerb)
    }

    @Test("every verb has help with the options of every command", arguments: verbs)
    func help(_ line: String, _ name: String) throws {
        let command = try FleetCommand.parseAsRoot(line.split(separator: " ").map(String.init))
        let text = FleetCommand.helpMessage(for: type(of: command), columns: 80)
        #expect(text.contains("--config"))
        #expect(!type(of: command).configuration.abstract.isEmpty)
    }

    static let verbs: [(String, String)] = [
        ("config check", "ConfigCheck"), ("config schema", "ConfigSchemaCommand"),
        ("config extract --instance orders", "ConfigExtract"), ("status --watch --cluster prod", "StatusCommand"),
        ("clusters", "ClustersList"), ("clusters list", "ClustersList"), ("instances", "InstancesList"),
        ("instances list --cluster prod", "InstancesList"), ("instances show orders", "InstancesShow"),
        ("instances archiving orders", "InstancesArchiving"), ("applications", "ApplicationsList"),
        ("applications list", "ApplicationsList"), ("applications start a b", "ApplicationsStart"),
        ("applications stop a", "ApplicationsStop"), ("applications scale a 3", "ApplicationsScale"),
        ("discover --cluster prod", "DiscoverCommand"), ("backup orders", "BackupCommand"),
        ("backup --all", "BackupCommand"), ("backups", "BackupsList"), ("backups list orders", "BackupsList"),
        ("backups show orders L", "BackupsShow"), ("backups verify orders", "BackupsVerify"),
        ("backups expire orders --keep-full 2 --dry-run", "BackupsExpire"), ("window", "WindowCommand"),
        ("window orders billing", "WindowCommand"), ("restore --cluster prod --target latest", "RestoreCommand"),
        ("apply plan.json --yes", "ApplyCommand"), ("runs", "RunsList"), ("runs list --state interrupted", "RunsList"),
        ("runs show r-1", "RunsShow"), ("runs watch r-1 --events", "RunsWatch"),
        ("runs approve r-1 --reason well", "RunsApprove"), ("runs report r-1 --out r.html", "RunsReport"),
        ("runs resume r-1", "RunsResume"),
        ("drill run orders --target random", "DrillRun"), ("drill", "DrillList"), ("runs abort r-1 -y", "RunsAbort"),
        ("runs undo r-1 --dry-run", "RunsUndo"),
        ("runs discard r-1", "RunsDiscard"), ("plugins", "PluginsList"), ("plugins list -v", "PluginsList"),
        ("audit", "AuditList"), ("audit list --after 3", "AuditList"), ("audit verify", "AuditVerify"),
        ("agent", "AgentCommand"), ("demo --clean", "DemoCommand"), ("mark create --set shop --loose", "MarkCreate"),
        ("mark list --set shop", "MarkList"), ("set check --set shop", "SetCheck"),
        ("restore --set shop --target mark:m", "RestoreCommand"),
    ]

    @Test("a restore takes everything that its run is made of")
    func restore() throws {
        let command = try parse(
            RestoreCommand.self,
            "restore --cluster prod --instance orders --target -1h30m --timeline 3 --backup L --into copy=/srv/c "
                + "--way-back set-aside --sessions terminate --on-failure put-back --stages dev,prod --no-backup --yes")
        #expect(command.choice.cluster == ["prod"])
        #expect(command.choice.instance == ["orders"])
        #expect(command.choice.target == "-1h30m")
        #expect(command.choice.timeline == 3)
        #expect(command.choice.backup == "L")
        #expect(command.manner.into == "copy=/srv/c")
        #expect(command.manner.wayBack == .setAside)
        #expect(command.manner.sessions == .terminate)
        #expect(command.manner.onFailure == .putBack)
        #expect(command.manner.stages == "dev,prod")
        #expect(command.manner.noBackup)
        #expect(command.consent.yes)
        #expect(!command.consent.dryRun)
    }

    @Test("what is missing or makes no sense is refused with words")
    func refusals() {
        refuses("restore --target latest", saying: "--label, --instance, --application or --set")
        refuses("restore --set shop --instance orders --target latest", saying: "restores all of its members")
        refuses("restore --instance orders", saying: "--target")
        refuses("restore --instance o --target latest --way-back never", saying: "never")
        refuses("restore --instance o --target latest --into Copy", saying: "is no name")
        refuses("restore --instance o --target latest --into copy=", saying: "no place after =")
        refuses("backups verify orders --quick --sample 5", saying: "choose one")
        refuses("backups verify orders --sample 0", saying: "from 1 to 100")
        refuses("backup", saying: "say what to back up")
        refuses("backup --all orders", saying: "--all leaves nothing to choose")
        refuses("backup orders --type weekly", saying: "weekly")
        refuses("applications scale a -- -1", saying: "0 to 10000")
        refuses("applications scale a 10001", saying: "0 to 10000")
        refuses("backups expire orders --keep-full 0", saying: "--keep-full must be 1 or more")
        refuses("runs list --limit 0", saying: "--limit must be 1 or more")
        refuses("no-such-verb", saying: "no-such-verb")
    }

    @Test(
        "--into names a place",
        arguments: [("copy", nil), ("orders-2=/srv/c", "/srv/c"), ("a=/x=y", "/x=y"), ("a=drills", "drills")])
    func into(_ text: String, _ place: String?) throws {
        let into = try RestoreManner.parse(into: text)
        #expect(into.name == text.split(separator: "=").first.map(String.init))
        #expect(into.place == place)
    }

    @Test("a relative directory after --into= is meant from here")
    func relative() throws {
        let place = try #require(try RestoreManner.parse(into: "copy=./there").place)
        #expect(place.hasPrefix("/") && place.hasSuffix("/there"))
    }
}
