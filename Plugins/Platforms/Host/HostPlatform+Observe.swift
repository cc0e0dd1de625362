import DurableFiles
public import FleetPluginAPI
import PostgresFormats

extension HostPlatform {
    public func observe(_ instance: Instance) async throws -> ProcessObservation {
        let host = try await HostInstance.resolve(instance, on: disk)
        return try await disk.run {
            let server = try ServerState.look(host)
            var observation = ProcessObservation(
                state: server.state, majorVersion: host.majorVersion, remarks: server.remarks)
            guard server.state != .absent else { return observation }
            do {
                observation.control = try Self.controlFacts(host)
            } catch {
                observation.remarks.append("pg_control cannot be read: \(FleetError(error, "global/pg_control"))")
            }
            return observation
        }
    }

    /// What `global/pg_control` says. Read again when it is caught in the middle of a write.
    static func controlFacts(_ host: HostInstance) throws -> ControlFacts {
        var attempts = 3
        while true {
            do {
                let file = try ControlFile(BlockingDisk.read(host.file("global/pg_control"), limit: 65_536))
                return ControlFacts(
                    systemIdentifier: file.systemIdentifier, state: file.state.description,
                    timeline: file.checkpoint.timeline, checkpointLSN: file.checkpoint.location,
                    redoLSN: file.checkpoint.redo, parameters: file.parameters,
                    hasDataChecksums: file.hasDataChecksums, walSegmentSize: file.walSegmentSize)
            } catch let error as FleetError where error.code == .corrupted && attempts > 1 {
                attempts -= 1
            }
        }
    }
}
