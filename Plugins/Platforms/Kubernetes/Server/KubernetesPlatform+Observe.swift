public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    public func observe(_ instance: Instance) async throws -> ProcessObservation {
        let found = try await resolve(instance)
        var condition = ServerCondition(found, try await pods(of: found))
        // A readiness probe may want more than connections: a primary, say, which a server in recovery is not.
        if condition.state == .starting, let pod = condition.pod, pod.isRunning(found.containerName),
            await acceptsConnections(pod, found)
        {
            condition.state = .running
        }
        var observation = ProcessObservation(state: condition.state, remarks: condition.remarks)
        do {
            let facts: VolumeFacts?
            switch condition.state {
            case .stopped: facts = try await lookAtVolume(found)
            case .running, .starting: facts = try await askRunning(condition.pod, found)
            case .stopping, .absent: facts = nil
            }
            guard let facts else { return observation }
            if condition.state == .stopped, facts.isAbsent { observation.state = .absent }
            observation.control = facts.control
            observation.majorVersion = facts.majorVersion
            observation.remarks += facts.remarks
        } catch let error as FleetError {
            observation.remarks.append("the data directory cannot be looked at: \(error)")
        }
        return observation
    }

    /// Reads the two files through the server's own container.
    private func askRunning(_ pod: PodView?, _ instance: KubernetesInstance) async throws -> VolumeFacts? {
        guard let pod, pod.isRunning(instance.containerName) else { return nil }
        let directory = instance.dataDirectory
        let version = try await run(["cat", "\(directory)/PG_VERSION"], in: pod, instance)
        guard version.status == 0 else { return nil }
        var facts = VolumeFacts(isAbsent: false, majorVersion: VolumeFacts.version(version.output))
        var attempts = 3
        while true {
            let control = try await run(["cat", "\(directory)/global/pg_control"], in: pod, instance)
            guard control.status == 0 else { return facts }
            do {
                facts.control = try VolumeFacts.control(control.output)
                return facts
            } catch let error as FleetError where error.code == .corrupted && attempts > 1 {
                // Caught in the middle of a write.
                attempts -= 1
            }
        }
    }

    /// Whether the server answers in its own container, whatever its readiness probe says.
    func acceptsConnections(_ pod: PodView, _ instance: KubernetesInstance) async -> Bool {
        let command = ["pg_isready", "-q", "-t", "3", "-p", "\(instance.port)"]
        for host in [nil, "localhost"] {
            let place = host.map { ["-h", $0] } ?? []
            if let result = try? await run(command + place, in: pod, instance), result.status == 0 { return true }
        }
        return false
    }
}
