import FleetPluginAPI
import PostgresFormats
import Testing

@testable import NativeEngine

@Suite struct RecoveryConfigurationTests {
    private static func settings(
        _ stop: RecoverySettings.Stop, archivingOff: Bool = false, parameters: RecoveryParameters? = nil,
        settings: [String: String] = [:]
    ) -> [String: String] {
        let record = BackupRecord(
            label: "l", kind: .full, engine: "native", repository: "local", systemIdentifier: Segments.system,
            serverVersion: 150_000, timeline: 10, startLSN: .zero, stopLSN: .zero,
            startTime: Timestamp(microseconds: 0), stopTime: Timestamp(microseconds: 0), size: 0, storedSize: 0)
        let request = RestoreRequest(
            key: "k", backup: record, dataDirectory: "/d", mode: .empty,
            recovery: RecoverySettings(
                stop: stop, timeline: 10, archivingOff: archivingOff, parameters: parameters, settings: settings))
        let configuration = RecoveryConfiguration(RestoreTaskRequest(restore: request, restoreCommand: "get %f"))
        return Dictionary(configuration.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    @Test func everyTargetPausesAndNamesItsTimelineInDecimal() {
        let stops: [(RecoverySettings.Stop, String, String)] = [
            (.time(Timestamp(microseconds: 1)), "recovery_target_time", "1970-01-01 00:00:00.000001+00"),
            (.lsn(LSN(0x1_0000_00FF), inclusive: false), "recovery_target_lsn", "1/FF"),
            (.xid(742), "recovery_target_xid", "742"), (.name("it's"), "recovery_target_name", "it's"),
            (.immediate, "recovery_target", "immediate"),
        ]
        for (stop, name, value) in stops {
            let settings = Self.settings(stop)
            #expect(settings[name] == value)
            #expect(settings["recovery_target_action"] == "pause" && settings["recovery_target_timeline"] == "10")
            #expect(settings["restore_command"] == "get %f" && settings["hot_standby"] == "on")
            #expect(settings["archive_mode"] == nil)
        }
        #expect(Self.settings(.lsn(LSN(1), inclusive: false))["recovery_target_inclusive"] == "off")
        #expect(Self.settings(.lsn(LSN(1), inclusive: true))["recovery_target_inclusive"] == "on")
    }

    @Test func aStandbyHasNoTargetAndFollowsNobody() {
        let settings = Self.settings(.endOfWAL)
        #expect(settings["recovery_target_action"] == nil && settings["primary_conninfo"] == "")
        #expect(settings["archive_cleanup_command"] == "")
    }

    @Test func archivingIsOffWhereAskedAndParametersAreSet() {
        let parameters = RecoveryParameters(
            maxConnections: 500, maxWorkerProcesses: 8, maxWALSenders: 9, maxPreparedTransactions: 1,
            maxLocksPerTransaction: 64)
        let settings = Self.settings(.immediate, archivingOff: true, parameters: parameters, settings: ["port": "6000"])
        #expect(settings["archive_mode"] == "off" && settings["max_connections"] == "500" && settings["port"] == "6000")
    }
}
