@testable import FleetCommands
@testable import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI
import Testing

@Suite("The fleet at a glance")
struct StatusTests {
    func report() throws -> StatusReport {
        let now = try Samples.time("2025-12-18T10:45:02Z")
        let orders = InstanceStatus(
            instance: "orders", cluster: "prod", environment: "prod", labels: [:], state: .running,
            server: try server(now), lastBackup: try Samples.backup(), backups: 3,
            windows: [
                RecoveryWindow(
                    timeline: 1, startLSN: LSN(0x1200_0138), endLSN: LSN(0x5A00_0000),
                    start: try Samples.time("2025-12-18T02:04:10.5Z"), end: now - .seconds(12),
                    backups: ["20251218T020000Z-F"], ending: .newest)
            ],
            repositories: [.init(name: "local", usage: StorageUsage(free: 80 << 30, total: 100 << 30))],
            problems: [], observedAt: now)
        let billing = InstanceStatus(
            instance: "billing", cluster: "prod", environment: "prod", labels: [:], state: nil, server: nil,
            lastBackup: nil, backups: 0, windows: [], repositories: [],
            problems: [
                FleetError(
                    .unavailable, "the server does not answer", cause: "connection refused",
                    hint: "is it running?")
            ], observedAt: now)
        let applications = [
            ApplicationStatus(
                application: "backend-prod", cluster: "prod", environment: "prod", uses: ["orders", "billing"],
                scale: ScaleObservation(desired: 3, running: 3, ready: 2), problem: nil),
            ApplicationStatus(
                application: "batch", cluster: "prod", environment: "prod", uses: ["billing"],
                scale: ScaleObservation(
                    desired: 0, running: 0, ready: 0,
                    record: QuiesceRecord(run: "r-20251218-103000-7f3k", original: 2)), problem: nil),
        ]
        let mark = MarkRecord(
            name: "flt.shop.0.7.fenced", set: "shop", epoch: 0, sequence: 7, kind: .fenced,
            createdAt: now - .seconds(240), createdBy: "ann")
        let sets = [
            SetStatus(set: "shop", members: ["orders", "billing"], lastMark: mark),
            SetStatus(set: "other", members: ["orders"]),
        ]
        return StatusReport(
            FleetStatus(instances: [billing, orders], applications: applications, sets: sets, observedAt: now))
    }

    private func server(_ now: Timestamp) throws -> ServerObservation {
        ServerObservation(
            version: 150_014, systemIdentifier: SystemIdentifier(rawValue: 7_449_151_234_567_890_123), timeline: 1,
            lsn: LSN(0x5A3C_2F00), isInRecovery: false, startedAt: now - .seconds(86_400), clock: now,
            databases: [.init(name: "shop", size: 1_200_000_000)], size: 1_288_490_188,
            dataDirectory: "/var/lib/postgresql/15/main", hasDataChecksums: true, walSegmentSize: 16 << 20,
            tablespaces: [],
            archiving: .init(
                mode: "on", command: "fleet …", archivedCount: 90, lastArchived: "000000010000000000000059",
                lastArchivedAt: now - .seconds(12), failedCount: 0, lastFailed: nil, lastFailedAt: nil),
            preparedTransactions: 0,
            parameters: RecoveryParameters(
                maxConnections: 100, maxWorkerProcesses: 8, maxWALSenders: 10, maxPreparedTransactions: 0,
                maxLocksPerTransaction: 64))
    }

    @Test("one dead target costs its own row")
    func table() throws {
        #expect(
            shown(try report()) == """
                INSTANCE  CLUSTER  STATE    VERSION  TL      SIZE  LAST BACKUP      ARCHIVED TO
                billing   prod     unknown  ?         ?         ?  none             nothing
                orders    prod     primary  15.14     1  1.20 GiB  full 8h 40m ago  12s ago

                APPLICATION   CLUSTER  ENVIRONMENT  RUNNING                         USES
                backend-prod  prod     prod         2 of 3 ready                    orders, bil…
                batch         prod     prod         down by r-20251218-103000-7f3k  billing

                RESTORE SET  MEMBERS         LAST MARK            AGE
                shop         orders billing  flt.shop.0.7.fenced   4m
                other        orders          none

                1 problem
                  - billing: the server does not answer: connection refused
                    is it running?
                """)
    }

    @Test("another program gets everything, and nothing is shortened for it")
    func wide() throws {
        #expect(shown(try report(), width: nil).contains("orders, billing"))
        let report = try report()
        let back = try decoded(StatusReport.self, report)
        #expect(back.instances == report.instances)
        #expect(back.applications == report.applications)
        #expect(back.instances[1].systemIdentifier == "7449151234567890123")
        #expect(back.instances[1].archiveLag == 12)
        #expect(back.instances[0].state == nil)
    }

    @Test("archiving that is off or fails is seen in the row")
    func archiving() throws {
        var view = try report().instances[1]
        view.archiving?.isFailing = true
        #expect(InstanceTable.archived(view).text == "failing")
        view.archiving?.mode = "off"
        #expect(InstanceTable.archived(view).text == "off")
    }

    @Test("a card shows databases, repository and windows")
    func card() throws {
        let text = InstanceCard.lines(try report().instances[1], Page(width: 80, isVerbose: false)).map(\.text)
        #expect(text.contains("  databases          1.20 GiB: shop (1.12 GiB)"))
        #expect(text.contains("  repository         local, 80.0 GiB free of 100 GiB"))
        #expect(text.contains { $0.hasPrefix("  window             2025-12-18 02:04:10 to 2025-12-18 10:44:50") })
    }
}
