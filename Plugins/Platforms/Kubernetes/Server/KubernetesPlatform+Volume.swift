import FleetPluginAPI
import KubernetesClient

/// Work on the volume of a stopped server, by short Jobs that run `fleet agent volume`.
extension KubernetesPlatform {
    static let lookKey = "fleet-look"

    func lookAtVolume(_ instance: KubernetesInstance) async throws -> VolumeFacts {
        guard try await claimExists(instance) else { return VolumeFacts(isAbsent: true) }
        // What another coordinator left says how it was then.
        if try await observeTask(Self.lookKey, of: instance.declared.instance) != .running {
            try await forgetTask(Self.lookKey, of: instance.declared.instance)
        }
        let output = try await onVolume(.look, key: Self.lookKey, of: instance, purpose: "look at \(instance.name)")
        guard let line = output.last else {
            throw FleetError(.failed, "nothing was said of the volume of \(instance.name)")
        }
        return try VolumeFacts(line: line)
    }

    private func claimExists(_ instance: KubernetesInstance) async throws -> Bool {
        let client = try await link.client()
        let reference = ObjectReference(
            .persistentVolumeClaims, namespace: instance.namespace, name: instance.data.claim)
        return try await riding { try await client.find(reference) } != nil
    }

    /// Runs a verb on the data directory and returns what it said.
    @discardableResult
    func onVolume(
        _ act: VolumeVerb.Act, _ tag: String? = nil, key: String, of instance: KubernetesInstance, purpose: String,
        node: String? = nil
    ) async throws -> [String] {
        let path = FilePathText.joined(JobManifest.volumeRoot, instance.data.pathInVolume)
        let argv = [AgentPlace.executable, "agent", VolumeVerb.name, act.rawValue, path] + (tag.map { [$0] } ?? [])
        // As who the container begins: renaming needs the right to write above the data directory.
        let owner = act == .look ? instance.owner : "0"
        let job = JobManifest(
            instance: instance, settings: settings, name: try ObjectNames.job(key, of: instance.declared.instance),
            key: key, purpose: purpose,
            call: PodTaskCall(
                deadline: .seconds(300), ownedLike: act == .look ? [path] : [], owner: owner, argv: argv),
            mounts: .volumeRoot, node: node)
        try await create(job)
        let outcome = try await finish(key, of: instance)
        let output = try await taskOutput(key, of: instance.declared.instance, from: 0)
        let errors = try await taskErrors(key, of: instance.declared.instance)
        try await forgetTask(key, of: instance.declared.instance)
        guard outcome.exitStatus == 0 else { throw failure(purpose, outcome, errors) }
        return output
    }

    /// Waits for a short Job.
    func finish(_ key: String, of instance: KubernetesInstance) async throws -> TaskOutcome {
        var pause = Duration.milliseconds(150)
        while true {
            switch try await observeTask(key, of: instance.declared.instance) {
            case .finished(let outcome): return outcome
            case .running: break
            case .absent, .lost:
                throw FleetError(
                    .unavailable, "the Job \(key) of \(instance.name) vanished",
                    hint: "another coordinator may work on the instance")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 1.3, .seconds(1))
        }
    }

    private func failure(_ purpose: String, _ outcome: TaskOutcome, _ errors: String) -> FleetError {
        let code: FleetError.Code =
            outcome.exitStatus == ExitStatus.refused.rawValue
            ? .refused : outcome.exitStatus == ExitStatus.usage.rawValue ? .usage : .failed
        let said = errors.split(separator: "\n").suffix(3).map { line in
            line.hasPrefix("fleet: ") ? String(line.dropFirst("fleet: ".count)) : String(line)
        }
        return FleetError(
            code, "cannot \(purpose)",
            cause: said.isEmpty ? "exit status \(outcome.exitStatus)" : said.joined(separator: "; "))
    }
}
