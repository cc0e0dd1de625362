@testable import FleetCommands
@testable import FleetCoordinator
import FleetPluginAPI
import FleetStore
import Testing
import TerminalUI

/// Fixed values to render.
enum Samples {
    static func time(_ text: String) throws -> Timestamp {
        try #require(Timestamp(rfc3339: text))
    }

    static func backup(
        _ label: String = "20251218T020000Z-F", stop: String = "2025-12-18T02:04:10.5Z", timeline: UInt32 = 1
    ) throws -> BackupRecord {
        BackupRecord(
            label: label, kind: .full, engine: "native", repository: "local",
            systemIdentifier: SystemIdentifier(rawValue: 7_449_151_234_567_890_123), serverVersion: 150_014,
            timeline: timeline, startLSN: LSN(0x1200_0028), stopLSN: LSN(0x1200_0138),
            startTime: try time(stop) - .seconds(250),
            stopTime: try time(stop), size: 1_288_490_188, storedSize: 322_122_547)
    }

    static func target(lost: Int = 1204, pending: Int = 2) throws -> ResolvedTarget {
        ResolvedTarget(
            requested: .time(try time("2025-12-18T10:30:00Z")), backup: try backup(),
            stop: .time(try time("2025-12-18T10:30:00Z")), timeline: 1, stopLSN: LSN(0x5A3C_2F00),
            lastKept: WALSegmentSummary.TransactionEnd(
                start: LSN(0x5A3C_2E80), end: LSN(0x5A3C_2EB0), time: try time("2025-12-18T10:29:58.123456Z"), xid: 991,
                isCommit: true),
            lost: lost == 0
                ? LostCommits()
                : LostCommits(
                    count: lost, first: try time("2025-12-18T10:30:00.104221Z"),
                    last: try time("2025-12-18T10:41:12.9Z")),
            segments: 73, pendingSegments: pending, firstSegment: "000000010000000000000012",
            lastSegment: "00000001000000000000005A", needsHeartbeat: false, parameters: nil, remarks: [])
    }

    static func member(_ instance: String = "orders") throws -> Plan.Member {
        Plan.Member(
            instance: instance, environment: "prod", target: try target(), wayBack: .archive, state: .running,
            systemIdentifier: nil, timeline: 1, mode: .delta,
            sessions: [
                session(4711, "shop"), session(4712, "shop"),
                ServerSession(
                    pid: 4713, database: "shop", user: "ana", application: "psql", client: "10.0.0.7", state: "idle",
                    startedAt: try time("2025-12-18T09:00:00Z")),
            ],
            estimate: Plan.Estimate(duration: .seconds(250), basis: "from earlier restores of orders"), checks: [],
            backup: nil, scratch: nil, undo: nil, repository: "local")
    }

    private static func session(_ pid: Int32, _ database: String) -> ServerSession {
        ServerSession(
            pid: pid, database: database, user: "shop", application: "", client: "local", state: "active",
            startedAt: Timestamp(microseconds: 0))
    }

    static func application(_ name: String, _ environment: String, count: Int) -> Plan.ApplicationPlan {
        Plan.ApplicationPlan(
            name: name, cluster: environment, environment: environment, uses: ["orders"], after: [],
            scale: ScaleObservation(desired: count, running: count, ready: count), record: nil)
    }

    static func restorePlan() throws -> Plan {
        let members = [try member()]
        let applications = [application("backend-dev", "dev", count: 1), application("backend-prod", "prod", count: 3)]
        return Plan(
            kind: .restore, title: "restore orders to 2025-12-18T10:30:00Z",
            createdAt: try time("2025-12-18T10:45:02Z"),
            configuration: String(repeating: "ab", count: 32), members: members, applications: applications,
            options: RestoreOptions(),
            steps: RestoreSteps.inPlace(members, applications, RestoreOptions(stages: ["dev", "prod"])),
            warnings: [
                "backend-prod also uses billing, which stays as it is: the two will not agree"
            ])
    }

}
