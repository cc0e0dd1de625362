public import FleetPluginAPI
import KubernetesClient

extension KubernetesPlatform {
    public func observeTask(_ key: String, of instance: Instance) async throws -> TaskObservation {
        try await riding { try await look(at: key, of: instance) }
    }

    private func look(at key: String, of instance: Instance) async throws -> TaskObservation {
        let folder = try logs.folder(key, instance.name)
        if let end = try await logs.end(folder) { return .finished(end.outcome) }
        let reference = try jobReference(key, instance)
        let client = try await link.client()
        guard let job = try await client.find(reference) else {
            return try await logs.wasLaunched(folder) ? .lost : .absent
        }
        let pods = try await pods(ofJob: job, reference)
        let reading = JobReading.read(job, pods: pods, now: .now, patience: settings.taskStart)
        switch reading {
        case .running: return .running
        case .lost: return .lost
        case .ended(let end):
            // What it said is kept before anything says that it is over.
            try await readLogs(of: pods, folder, isFinal: true)
            try await logs.noteEnd(folder, end)
            return .finished(end.outcome)
        case .stuck(let why):
            let now = Timestamp.now
            try await remove(job, reference)
            let end = TaskEnd(JobReading.notBegun, now, now, note: "it could not begin: \(why)")
            try await logs.noteEnd(folder, end)
            return .finished(end.outcome)
        }
    }

    public func taskOutput(_ key: String, of instance: Instance, from line: Int) async throws -> [String] {
        let folder = try logs.folder(key, instance.name)
        try await riding { try await refresh(key, instance, folder) }
        return Array(try await logs.kept(folder).output.dropFirst(max(0, line)))
    }

    public func taskErrors(_ key: String, of instance: Instance) async throws -> String {
        let folder = try logs.folder(key, instance.name)
        try await riding { try await refresh(key, instance, folder) }
        let note = try await logs.end(folder)?.note
        return (try await logs.kept(folder).lastErrors + (note.map { ["fleet: \($0)"] } ?? []))
            .joined(separator: "\n")
    }

    /// Reads what a running task has said since.
    private func refresh(_ key: String, _ instance: Instance, _ folder: String) async throws {
        guard try await logs.end(folder) == nil else { return }
        let reference = try jobReference(key, instance)
        guard let job = try await link.client().find(reference) else { return }
        try await readLogs(of: try await pods(ofJob: job, reference), folder, isFinal: false)
    }

    private func readLogs(of pods: [PodView], _ folder: String, isFinal: Bool) async throws {
        for pod in pods.sorted(by: { $0.name < $1.name }) {
            guard let status = pod.status(ObjectNames.taskContainer), status.waiting == nil else { continue }
            do {
                try await logs.update(folder, pod: pod.uid, isFinal: isFinal) { since in
                    try await log(of: pod, container: ObjectNames.taskContainer, LogOptions(since: since))
                }
            } catch let error as FleetError where error.code == .notFound || error.code == .failed {
                // A pod that is gone, or a container whose log its node has removed: what was read is all there is.
            }
        }
    }

    public func cancelTask(_ key: String, of instance: Instance) async throws {
        let folder = try logs.folder(key, instance.name)
        let reference = try jobReference(key, instance)
        guard try await observeTask(key, of: instance) == .running else { return }
        guard let job = try await link.client().find(reference) else { return }
        let start = Timestamp.now
        try? await readLogs(of: try await pods(ofJob: job, reference), folder, isFinal: false)
        try await remove(job, reference)
        // It may have ended by itself in the meantime; how is no longer known then.
        try await logs.noteEnd(
            folder, TaskEnd(128 + 15, start, max(start, .now), note: "it was ended because it was cancelled"))
    }

    public func forgetTask(_ key: String, of instance: Instance) async throws {
        let folder = try logs.folder(key, instance.name)
        guard try await observeTask(key, of: instance) != .running else {
            throw FleetError(
                .refused, "the task \(key) of \(instance.name) cannot be forgotten: it is running", hint: "cancel it")
        }
        let reference = try jobReference(key, instance)
        try await riding {
            let client = try await link.client()
            if let job = try await client.find(reference) { try await remove(job, reference) }
            // Owned by the Job, and gone with it some time later: a new task under this key must not find it.
            try await client.delete(
                ObjectReference(.secrets, namespace: reference.namespace, name: reference.name))
        }
        try await logs.forget(folder)
    }

    func jobReference(_ key: String, _ instance: Instance) throws -> ObjectReference {
        ObjectReference(
            .jobs, namespace: try InstanceDeclaration(instance).namespace,
            name: try ObjectNames.job(key, of: instance))
    }

    func pods(ofJob job: JSONValue, _ reference: ObjectReference) async throws -> [PodView] {
        let uid = job.objectUID
        return try await pods(in: reference.namespace ?? "", labels: "job-name=\(reference.name)").filter { pod in
            (pod.object[path: "metadata", "ownerReferences"]?.array ?? []).contains { $0["uid"]?.string == uid }
        }
    }

    /// Deletes a Job and waits until it and its pods are gone, those that are ending too.
    private func remove(_ job: JSONValue, _ reference: ObjectReference) async throws {
        let client = try await link.client()
        let labels = job.labels
        guard labels[ObjectNames.managedBy] == ObjectNames.manager else {
            throw FleetError(.conflict, "\(reference) is not fleet's", hint: "remove it, if nobody needs it")
        }
        try await client.delete(reference, uid: job.objectUID, propagation: .background)
        let end = ContinuousClock.now + .seconds(120)
        while true {
            let isThere = try await client.find(reference)?.objectUID == job.objectUID
            let left = try await pods(ofJob: job, reference)
            if !isThere, left.allSatisfy(\.hasEnded) { return }
            guard ContinuousClock.now < end else {
                throw FleetError(
                    .timedOut, "\(reference) does not go",
                    cause: left.map { "the pod \($0.name) is \($0.phase) on \($0.node ?? "no node")" }
                        .joined(separator: "; "),
                    hint: "its node may be away; until it is back or removed nobody knows whether the task runs there")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
