import DurableFiles
public import FleetPluginAPI
import ProcessRunner

/// PostgreSQL servers on this machine.
///
/// Everything is done as the owner of the data directory: fleet runs as that user, or as root and becomes it in its
/// children. All state is in files under the state directory, so that a new object finds what an old one began.
public struct HostPlatform: Platform {
    let context: PluginContext
    let options: PluginOptions
    let disk = Disk()
    let outputs = TaskOutputIndex()

    /// - Throws: `configuration` for options that cannot be right.
    public init(context: PluginContext, options: PluginOptions) throws {
        self.context = context
        self.options = options
    }

    /// What `fleet agent` must answer to for this platform.
    public static let internalVerbs = [supervisorVerb]

    public func location(of instance: Instance) async throws -> InstanceLocation {
        let host = try await HostInstance.resolve(instance, on: disk)
        let running = try await disk.run { try ServerProcesses.find(in: host.dataDirectory).postmaster }
        return InstanceLocation(
            dataDirectory: host.dataDirectory, owner: host.owner.name,
            binDirectory: try await Installation.find(for: host, running: running))
    }
}
