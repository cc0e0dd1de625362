import DurableFiles
public import FleetPluginAPI
import Glibc

extension HostPlatform {
    public func obstacles(to work: PlatformWork, of instance: Instance) async throws -> [String] {
        let host = try await HostInstance.resolve(instance, on: disk)
        return try await disk.run { [context, agentDirectories] in
            switch work {
            case .setAside: try Self.obstaclesToSettingAside(host)
            case .backup, .restore, .restoreBeside:
                try Self.obstaclesToAgent(of: host, in: agentDirectories, configuration: context.agent.configuration)
            }
        }
    }

    /// The agent's configuration is written anew when fleet.yaml has changed, which must then be possible.
    private static func obstaclesToAgent(
        of host: HostInstance, in roots: [String], configuration: String
    ) throws -> [String] {
        var refusals: [String] = []
        let written = try BlockingDisk.status(configuration, followingLinks: true)?.modified
        for root in roots {
            let folder = "\(root)/\(host.name)"
            if let kept = try BlockingDisk.status("\(folder)/fleet.yaml")?.modified, let written, kept >= written {
                return []
            }
            var existing = folder
            while try BlockingDisk.status(existing, followingLinks: true) == nil { existing = parentPath(of: existing) }
            if access(existing, W_OK | X_OK) == 0 { return [] }
            refusals.append("fleet cannot write to \(existing), where the agent's configuration goes")
        }
        return [refusals.joined(separator: "; ")]
    }

    /// A rename in the parent directory is all that setting aside is: a mount point cannot be renamed.
    private static func obstaclesToSettingAside(_ host: HostInstance) throws -> [String] {
        let parent = parentPath(of: host.dataDirectory)
        guard let data = try BlockingDisk.status(host.dataDirectory),
            let above = try BlockingDisk.status(parent, followingLinks: true)
        else { return [] }
        guard data.device == above.device else {
            return [
                "its data directory \(host.dataDirectory) is a mount point, which cannot be moved aside; "
                    + "start the server and let it archive, so that its WAL is the way back, or say --way-back none"
            ]
        }
        return []
    }

    public func obstacles(toScratch request: ScratchRequest) async throws -> [String] {
        let source = try await HostInstance.resolve(request.source, on: disk)
        let directory = try scratchDirectory(of: request, beside: source)
        return try await disk.run { try Self.obstacles(toScratchIn: directory, request) }
    }

    private static func obstacles(toScratchIn directory: String, _ request: ScratchRequest) throws -> [String] {
        var path = directory
        if let status = try BlockingDisk.status(directory, followingLinks: true) {
            guard status.kind == .directory else { return ["\(directory) is there and is no directory"] }
            if try ScratchMarker.read(in: directory) == nil,
                try !BlockingDisk.list(directory, followingLinks: true).isEmpty
            {
                return ["\(directory) is not empty: nothing is restored over it; name an empty or new folder"]
            }
        }
        while path != "/" {
            path = parentPath(of: path)
            if try BlockingDisk.status("\(path)/PG_VERSION") != nil {
                return ["\(directory) lies in a PostgreSQL data directory, \(path)"]
            }
        }
        return []
    }
}
