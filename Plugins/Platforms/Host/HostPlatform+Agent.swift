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
                try await writeAgentFile(Array(configuration.utf8), file, mode: 0o600, host)
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
    private var agentDirectories: [String] {
        if let declared = options.string("agentDirectory") { return [declared] }
        let own = "\(context.stateDirectory)/agents"
        return geteuid() == 0 ? [own, "/var/lib/fleet/agents"] : [own]
    }

    /// This program where the owner can run it, else a copy of it.
    private func agentProgram(in root: String, _ host: HostInstance) async throws -> String {
        let program = context.agent.executable
        if try await can(host.owner, "-x", program) { return program }
        let copy = "\(root)/\(host.name)/fleet"
        let bytes = try await disk.read(program, limit: 1 << 30)
        try await writeAgentFile(bytes, copy, mode: 0o755, host)
        guard try await can(host.owner, "-x", copy) else {
            throw FleetError(.denied, "\(host.owner.name) cannot run \(copy)")
        }
        return copy
    }

    private func writeAgentFile(_ bytes: [UInt8], _ path: String, mode: UInt32, _ host: HostInstance) async throws {
        let owner = geteuid() == 0 ? host.fileOwner : nil
        try await disk.run {
            if try BlockingDisk.readIfPresent(path, limit: 1 << 30) == bytes { return }
            // Folders that others may pass and only fleet may write to.
            try BlockingDisk.makeDirectories(parent(of: path), mode: 0o755)
            try BlockingDisk.write(bytes, to: path, WriteOptions(mode: mode, owner: owner, directoryMode: nil))
        }
    }

    /// Asks as that user, so that parent directories and access lists count.
    private func can(_ user: UserAccount, _ test: String, _ path: String) async throws -> Bool {
        try await Command(["test", test, path], user: user, deadline: .seconds(20)).run().status.isSuccess
    }
}

private func parent(of path: String) -> String {
    path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
}
