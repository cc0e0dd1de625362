import DurableFiles
public import FleetPluginAPI
import FoundationEssentials
import Glibc
import ProcessRunner

extension HostPlatform {
    public func installAgent(_ configuration: String, for instance: Instance) async throws -> AgentInvocation {
        let host = try await HostInstance.resolve(instance, on: disk)
        var refusals: [String] = []
        for root in agentDirectories {
            do {
                let file = "\(root)/\(host.name)/fleet.yaml"
                let bytes = Array(configuration.utf8)
                if try await disk.readIfPresent(file, limit: 1 << 24) != bytes {
                    let owner = geteuid() == 0 ? host.fileOwner : nil
                    try await writeAgentFile(bytes, file, mode: 0o600, owner: owner)
                }
                guard try await can(host.owner, "-r", file) else {
                    refusals.append("\(host.owner.name) cannot read \(file)")
                    continue
                }
                let program = try await agentProgram(in: root, host)
                return AgentInvocation(executable: program, configuration: file)
            } catch let error as FleetError where error.code == .denied {
                refusals.append("\(error)")
            }
        }
        throw FleetError(
            .denied, "fleet agent cannot be made callable for \(host.owner.name), who runs \(host.name)",
            cause: refusals.joined(separator: "; "),
            hint: "set `agentDirectory` of the cluster to a folder that \(host.owner.name) can enter")
    }

    /// Where the agent may lie, the best place first.
    var agentDirectories: [String] {
        if let declared = options.string("agentDirectory") { return [declared] }
        let own = "\(context.stateDirectory)/agents"
        // Every fleet on this machine has its own folder there: two may call an instance by one name.
        return geteuid() == 0 ? [own, "/var/lib/fleet/agents/\(Self.digest(context.stateDirectory))"] : [own]
    }

    /// FNV-1a, 64 bits: tells paths apart, no more.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    /// This program where the owner can run it, else a copy of it.
    private func agentProgram(in root: String, _ host: HostInstance) async throws -> String {
        let program = context.agent.executable
        if try await can(host.owner, "-x", program) { return program }
        let copy = "\(root)/fleet"
        let (original, present) = (try await disk.status(program, followingLinks: true), try await disk.status(copy))
        let isCurrent =
            if let original, let present { present.size == original.size && present.modified >= original.modified } else
            {
                false
            }
        if !isCurrent {
            try await writeAgentFile(try await disk.read(program, limit: 1 << 30), copy, mode: 0o755, owner: nil)
        }
        guard try await can(host.owner, "-x", copy) else {
            throw FleetError(.denied, "\(host.owner.name) cannot run \(copy)")
        }
        return copy
    }

    private func writeAgentFile(
        _ bytes: [UInt8], _ path: String, mode: UInt32, owner: FileOwner?
    ) async throws {
        try await disk.run {
            // Folders that others may pass and only fleet may write to.
            try BlockingDisk.makeDirectories(parent(of: path), mode: 0o755)
            try BlockingDisk.write(bytes, to: path, WriteOptions(mode: mode, owner: owner, directoryMode: nil))
        }
    }

    /// Asks as that user, so that parent directories and access lists count.
    func can(_ user: UserAccount, _ test: String, _ path: String) async throws -> Bool {
        let command = Command(
            ["/bin/sh", "-c", "test \(test) \"$0\"", path], workingDirectory: "/", user: user, deadline: .seconds(20))
        return try await command.run().status.isSuccess
    }
}

private func parent(of path: String) -> String {
    path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
}
