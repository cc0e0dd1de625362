import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import PgBackRestEngine

/// What is run, without running it.
@Suite struct CommandTests {
    private static func engine(_ options: [String: JSONValue] = [:]) throws -> PgBackRestEngine {
        try PgBackRestEngine(
            PluginContext(
                name: "orders", stateDirectory: "/nonexistent",
                agent: AgentInvocation(executable: "/f", configuration: "/c"), resolve: { _ in Secret("") }),
            PluginOptions(options))
    }

    private static let context = EngineContext(
        instance: Instance(name: "orders", cluster: "here", environment: "dev"), repositories: [],
        agent: AgentInvocation(executable: "/opt/fleet", configuration: "/etc/fleet.yaml"),
        location: InstanceLocation(dataDirectory: "/srv/or ders 100%", owner: "postgres", binDirectory: nil),
        endpoint: nil)

    private static func record(_ tablespaces: [BackupRecord.Tablespace] = []) -> BackupRecord {
        BackupRecord(
            label: "20261126-021555F", kind: .full, engine: "pgbackrest", repository: "repo2",
            systemIdentifier: SystemIdentifier(rawValue: 7), serverVersion: 150_000, timeline: 1, startLSN: .zero,
            stopLSN: .zero, startTime: Timestamp(seconds: 0), stopTime: Timestamp(seconds: 0), size: 0, storedSize: 0,
            tablespaces: tablespaces)
    }

    @Test func archiveCommandsNameTheDataAndTheRestoreOneIsWrapped() throws {
        let commands = try Self.engine(["configFile": "/etc/pg.conf", "stanza": "main"]).archiving(Self.context)
        #expect(
            commands.archive
                == "pgbackrest --config=/etc/pg.conf --stanza=main '--pg1-path=/srv/or ders 100%%' archive-push %p")
        #expect(
            commands.restore
                == "pgbackrest --config=/etc/pg.conf --stanza=main '--pg1-path=/srv/or ders 100%%' archive-get %f %p"
                + " || { s=$?; [ $s -eq 1 ] || [ $s -gt 125 ] || s=200; exit $s; }")
    }

    /// The one that matters most: only a segment that is certainly not there may end recovery.
    @Test(arguments: [
        (0, 0), (1, 1), (2, 200), (25, 200), (42, 200), (62, 200), (103, 200), (125, 200), (126, 126), (127, 127),
        (143, 143),
    ])
    func onlyStatus1EndsRecovery(_ status: Int32, _ expected: Int32) async throws {
        let command = RestoreCommand.wrapped("sh -c 'exit \(status)'")
        #expect(try await runTool(["/bin/sh", "-c", command]).exitCode == expected)
    }

    @Test func aProgramThatIsNotThereDoesNotEndRecovery() async throws {
        let command = RestoreCommand.wrapped("/nonexistent/pgbackrest archive-get x y")
        #expect(try await runTool(["/bin/sh", "-c", command]).exitCode == 127)
        #expect(try await runTool(["/bin/sh", "-c", RestoreCommand.wrapped("kill -9 $$")]).exitCode > 125)
    }

    @Test func aCopyLeavesTheSpoolOfItsSourceAlone() throws {
        let engine = try Self.engine()
        #expect(
            engine.restoreCommand(dataDirectory: "/srv/copy", isCopy: true, Self.context).contains("--no-archive-async")
        )
        #expect(
            engine.restoreCommand(dataDirectory: "/srv/copy", isCopy: true, Self.context).contains(
                "--pg1-path=/srv/copy "))
        #expect(
            !engine.restoreCommand(dataDirectory: "/srv/own", isCopy: false, Self.context).contains(
                "--no-archive-async"))
    }

    @Test func repositoriesAreNumbersWithNames() throws {
        let engine = try Self.engine(["repos": ["2", "1"]])
        #expect(engine.ownRepositories == ["repo2", "repo1"])
        #expect(try engine.repository("repo1", Self.context).key == 1)
        #expect(throws: FleetError.self) { try engine.repository("repo3", Self.context) }
        for wrong in [["0"], ["1", "1"], ["x"], []] as [[String]] {
            #expect(throws: FleetError.self, "\(wrong)") {
                try Self.engine(["repos": .array(wrong.map { .string($0) })])
            }
        }
    }

    @Test(arguments: ["", "-x", "..", "a/b", "a b", "a;b", "$(x)"]) func stanzasAreNames(_ stanza: String) {
        #expect(throws: FleetError.self) { try Self.engine(["stanza": .string(stanza)]) }
    }

    @Test func backupsAreMarkedAndExpireByOneRuleOnly() {
        func options(_ minor: Int, expires: Bool) -> [String] {
            BackupTask(
                request: BackupTaskRequest(
                    program: PgBackRest(binary: "p", configuration: nil, stanza: "s"), key: "run-1", kind: .diff,
                    repository: RepositoryKey(key: 2, name: "offsite"), expiresByItself: expires, managesStanza: false,
                    processes: 4), instance: "orders",
                run: PgBackRestRun(
                    PgBackRest(binary: "p", configuration: nil, stanza: "s"), emit: { _ in }, log: { _ in })
            ).options(PgBackRestVersion(2, minor))
        }
        #expect(
            options(45, expires: false)
                == ["--repo=2", "--type=diff", "--no-expire-auto", "--process-max=4", "--annotation=fleet-key=run-1"])
        #expect(options(33, expires: true) == ["--repo=2", "--type=diff", "--process-max=4"])
    }

    @Test func restoresNameTheSetAndRemapTablespaces() {
        func options(_ mode: RestoreRequest.Mode, copy: Bool, isDelta: Bool) -> [String] {
            let program = PgBackRest(binary: "p", configuration: nil, stanza: "s")
            return RestoreTask(
                request: RestoreTaskRequest(
                    program: program,
                    restore: RestoreRequest(
                        key: "k", backup: Self.record([.init(oid: 16392, path: "/srv/fast")]), dataDirectory: "/d",
                        mode: mode, recovery: .init(stop: .immediate, timeline: 1, archivingOff: copy),
                        tablespaces: copy ? ["/srv/fast": "/copy/16392"] : [:]),
                    repository: RepositoryKey(key: 2, name: "repo2"), restoreCommand: "", processes: nil),
                run: PgBackRestRun(program, emit: { _ in }, log: { _ in })
            ).options(isDelta: isDelta)
        }
        #expect(
            options(.empty, copy: true, isDelta: false) == [
                "--pg1-path=/d", "--repo=2", "--set=20261126-021555F", "--type=none",
                "--tablespace-map=16392=/copy/16392",
            ])
        #expect(
            options(.delta, copy: false, isDelta: true) == [
                "--pg1-path=/d", "--repo=2", "--set=20261126-021555F", "--type=none", "--delta", "--link-all",
            ])
    }

    @Test func expiryIsRefusedWherePgBackRestDoesIt() async throws {
        let request = ExpireRequest(key: "k", repository: "repo1", retention: Retention(full: 2), isDryRun: false)
        await #expect(throws: FleetError.self) { try await Self.engine().expire(request, Self.context) }
        let task = try await Self.engine(["retention": "fleet"]).expire(request, Self.context)
        #expect(task.argv.contains("pgbackrest-expire"))
    }

    @Test func versionsAreRead() {
        #expect(PgBackRestVersion(output: "pgBackRest 2.45\n") == PgBackRestVersion(2, 45))
        #expect(PgBackRestVersion(output: "pgBackRest 2.55.1") == PgBackRestVersion(2, 55))
        #expect(PgBackRestVersion(output: "pgBackRest 2.46dev") == PgBackRestVersion(2, 46))
        for text in ["", "pgBackRest", "pgBackRest x.y", "2"] { #expect(PgBackRestVersion(output: text) == nil) }
        #expect(PgBackRestVersion(2, 9) < PgBackRestVersion(2, 41))
    }

    @Test func configurationsHaveSectionsForCommands() {
        let file = """
            # retention
            [global]
            repo1-path = /r
            repo1-retention-full=2
            [global:expire]
            repo1-retention-full=3
            [main]
            pg1-path=/d
            [other]
            repo1-retention-full=9
            """
        let settings = OwnConfiguration.settings(Array(file.utf8), stanza: "main", command: "expire")
        #expect(settings == ["repo1-path": "/r", "repo1-retention-full": "3", "pg1-path": "/d"])
    }
}
