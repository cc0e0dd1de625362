@testable import FleetCommands
import FleetConfig
@testable import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI
import Testing

@Suite("Endings")
struct ReportTests {
    private func run(_ state: RunState, _ error: FleetError? = nil) throws -> RunRecord {
        let time = try Samples.time("2025-12-18T10:45:02Z")
        return RunRecord(
            id: "r-20251218-104502-7f3k", kind: "restore", title: "restore orders to 2025-12-18T10:30:00Z",
            state: state,
            plan: "", planHash: "ab", startedBy: "root@host", createdAt: time, updatedAt: time + .seconds(250),
            endedAt: state.isEnded ? time + .seconds(250) : nil, error: error)
    }

    private func report(_ state: RunState, _ error: FleetError? = nil) throws -> RunReport {
        RunReport(
            RunOutcome(run: try run(state, error), error: error), plan: try Samples.restorePlan(),
            steps: [
                StepRecord(
                    run: "r", index: 0, id: "backup:orders", kind: "backup", title: "back up orders", state: .done,
                    output: ["label": "20251218T104900Z-F", "size": 1_288_490_188])
            ])
    }

    @Test(
        "exit codes say how it stands",
        arguments: [
            (RunState.succeeded, nil, FleetPluginAPI.ExitStatus.done), (.interrupted, .cancelled, .failed),
            (.failed, .failed, .failed), (.waiting, nil, .waiting), (.aborted, .refused, .refused),
            (.aborted, .checkFailed, .failed), (.interrupted, .refused, .failed), (.aborted, .drifted, .refused),
        ] as [(RunState, FleetError.Code?, FleetPluginAPI.ExitStatus)])
    func status(_ state: RunState, _ code: FleetError.Code?, _ expected: FleetPluginAPI.ExitStatus) throws {
        #expect(try report(state, code.map { FleetError($0, "it did not go well") }).status == expected)
    }

    @Test("a restore that is done says what was made and how to take it back")
    func done() throws {
        #expect(
            shown(try report(.succeeded)) == """
                done  restore orders to 2025-12-18T10:30:00Z  4m 10s, run r-20251218-104502-7f3k
                  orders  20251218T104900Z-F  1.20 GiB
                  take it back:     fleet runs undo r-20251218-104502-7f3k
                """)
    }

    @Test("a run that stopped halfway says how to go on")
    func halfway() throws {
        let text = shown(try report(.interrupted, FleetError(.cancelled, "stopped")))
        #expect(text.contains("fleet runs resume r-20251218-104502-7f3k"))
        #expect(text.contains("fleet runs abort r-20251218-104502-7f3k"))
    }

    @Test("the JSON of a run is read back as it was")
    func json() throws {
        let report = try report(.succeeded)
        let back = try decoded(RunReport.self, report)
        #expect(back.run == report.run)
        #expect(back.backups == report.backups)
        #expect(back.next == report.next)
    }

    @Test("an error says what, why and what to do, within the width")
    func error() {
        let error = FleetError(
            .refused, "orders cannot be restored to 2025-12-18T10:30:00Z",
            cause:
                "WAL segment 00000001000000000000002A is missing from the archive of orders, and no other one holds it",
            hint: "the nearest targets that work: 2025-12-18T09:12:00Z before it")
        let lines = ErrorLines.lines(error, width: 80).map(\.text)
        #expect(
            lines == [
                "error: orders cannot be restored to 2025-12-18T10:30:00Z",
                "  cause: WAL segment 00000001000000000000002A is missing from the archive of",
                "         orders, and no other one holds it",
                "  hint:  the nearest targets that work: 2025-12-18T09:12:00Z before it",
            ])
    }

    @Test("every code has an exit status, and only three kinds of them", arguments: FleetError.Code.allCases)
    func codes(_ code: FleetError.Code) {
        let expected: FleetPluginAPI.ExitStatus =
            switch code {
            case .usage, .configuration: .usage
            case .refused, .drifted, .conflict: .refused
            default: .failed
            }
        #expect(ErrorReport(FleetError(code, "it")).status == expected)
    }

    @Test("mistakes in fleet.yaml are listed each with its place")
    func mistakes() throws {
        let report = ErrorReport(
            ConfigurationError(
                file: "fleet.yaml",
                diagnostics: [
                    Diagnostic(
                        file: "fleet.yaml", line: 12, column: 5, path: "instances.orders.policy",
                        message: "there is no policy gld", hint: "did you mean gold?")
                ]))
        #expect(report.status == .usage)
        #expect(
            report.lines(width: 80).map(\.text) == [
                "fleet.yaml:12:5: instances.orders.policy: there is no policy gld", "    hint: did you mean gold?",
                "error: fleet.yaml has a mistake",
            ])
        #expect(try TextEncoding.json(report).contains("\"line\" : 12"))
    }

    @Test("postgresql.conf reads the command as it was meant")
    func quoting() {
        #expect(ArchivingSettings.quoted("a 'b' \\c") == "'a ''b'' \\\\c'")
    }
}
