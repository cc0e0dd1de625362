public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    public func launch(_ task: TaskSpec, for instance: Instance) async throws {
        switch try await observeTask(task.key, of: instance) {
        case .running, .finished: return
        case .lost: try await forgetTask(task.key, of: instance)
        case .absent: break
        }
        let found = try await resolve(instance)
        let call = PodTaskCall(
            deadline: task.deadline ?? settings.taskDeadline,
            prepare: task.volume == .nothing ? [] : ScratchManifest.directories(found),
            ownedLike: [found.dataDirectory] + found.repositoryVolumes.keys.sorted(), owner: found.owner,
            argv: task.argv)
        var job = JobManifest(
            instance: found, settings: settings, name: try ObjectNames.job(task.key, of: instance), key: task.key,
            purpose: task.purpose, call: call, environment: task.environment, secrets: Array(task.secrets.keys),
            mounts: task.volume == .nothing ? .none : .data)
        switch task.volume {
        case .nothing: break
        case .besideRunningServer: job.node = try await currentPod(of: found)?.node
        case .alone: try await requireAlone(found, task.purpose)
        }
        let secrets = try await task.secrets.resolved(context.resolve)
        try await create(job, secrets)
    }

    /// Makes the Job, or adopts the one that is there.
    func create(_ job: JobManifest, _ secrets: [String: Secret] = [:]) async throws {
        let folder = try logs.folder(job.key, job.instance.name)
        try await riding {
            // Before the Job: its pod would wait for it in vain for a while.
            if !secrets.isEmpty { try await putSecret(job, secrets, owner: nil) }
            let made = try await createOrAdopt(job)
            if !secrets.isEmpty { try await putSecret(job, secrets, owner: made) }
        }
        try await logs.noteLaunch(folder, job: job.name)
    }

    private func createOrAdopt(_ job: JobManifest) async throws -> JSONValue {
        let client = try await link.client()
        while true {
            do {
                return try await client.create(job.object, kind: .jobs, namespace: job.instance.namespace)
            } catch let error as FleetError where error.code == .alreadyExists {
                guard let there = try await client.find(job.reference) else { continue }
                guard there.labels[ObjectNames.managedBy] == ObjectNames.manager,
                    there.labels[ObjectNames.taskLabel] == job.key,
                    there.labels[ObjectNames.instanceLabel] == ObjectNames.labelValue(job.instance.name)
                else {
                    throw FleetError(
                        .conflict, "the Job \(job.instance.namespace)/\(job.name) is not fleet's",
                        hint: "remove it, if nobody needs it", retriable: false)
                }
                guard there.isTerminating else { return there }
                try await client.wait(job.reference, deadline: .seconds(120)) { $0 == nil }
            }
        }
    }

    /// The Secret goes with the Job that owns it. Applied, so that a repetition is the same.
    private func putSecret(_ job: JobManifest, _ secrets: [String: Secret], owner: JSONValue?) async throws {
        var metadata: [String: JSONValue] = ["name": .string(job.name), "labels": job.labels]
        if let owner, let uid = owner.objectUID {
            metadata["ownerReferences"] = [
                ["apiVersion": "batch/v1", "kind": "Job", "name": .string(job.name), "uid": .string(uid)]
            ]
        }
        let values = secrets.mapValues { secret in secret.reveal { JSONValue.string($0) } }
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "Secret", "metadata": .object(metadata), "type": "Opaque",
            "stringData": .object(values),
        ]
        try await link.client().patch(
            job.secretReference, .apply(object, manager: ObjectNames.manager, force: true))
    }

    /// - Throws: `refused` while any pod has the data's claim.
    func requireAlone(_ instance: KubernetesInstance, _ purpose: String) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let users = try await users(ofClaim: instance.data.claim, in: instance.namespace)
            guard !users.isEmpty else { return }
            // A look at the volume or a question is over in seconds; whatever else has it may be a server.
            let areLooking = users.allSatisfy { pod in
                let key = pod.object.labels[ObjectNames.taskLabel] ?? ""
                return key == Self.lookKey || QueryKey.isKey(key)
            }
            guard areLooking, ContinuousClock.now < end else {
                throw FleetError(
                    .refused, "\(purpose): the volume of \(instance.name) is in use",
                    cause: "the claim \(instance.namespace)/\(instance.data.claim) is mounted by the pod "
                        + users.map(\.name).sorted().joined(separator: ", "),
                    hint: "stop what uses it first")
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
