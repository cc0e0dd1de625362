public import FleetPluginAPI

extension KubernetesPlatform {
    /// By a Job, beside a running server on its node: an exec could be given no secrets but in its arguments, and runs as
    /// whom the container began.
    public func query(_ query: PlaceQuery, of instance: Instance) async throws -> QueryAnswer {
        let found = try await resolve(instance)
        // Each question is one of its own: what an earlier one was told may no longer be so.
        let key = "fleet-query-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        let call = PodTaskCall(
            ownedLike: [found.dataDirectory] + found.repositoryVolumes.keys.sorted(), owner: found.owner,
            argv: AnswerVerb.argv(query))
        var job = JobManifest(
            instance: found, settings: settings, name: try ObjectNames.job(key, of: instance), key: key,
            purpose: "ask \(query.argv.first ?? "") beside \(found.name)", call: call, environment: query.environment,
            secrets: Array(query.secrets.keys), mounts: .data)
        job.node = try await currentPod(of: found)?.node
        job.isForgotten = true
        try await create(job, try query.secrets.mapValues { try context.resolve($0) })
        do {
            let outcome = try await finish(key, of: found)
            let said = try await taskOutput(key, of: instance, from: 0).last
            let errors = try await taskErrors(key, of: instance)
            try await forgetTask(key, of: instance)
            guard outcome.exitStatus == 0, let said else {
                throw FleetError(
                    .unavailable, "nothing could be asked beside \(found.name)",
                    cause: errors.isEmpty ? "exit status \(outcome.exitStatus)" : errors)
            }
            let answer = try PodAnswer(line: said)
            if let failure = answer.failure { throw failure.during("beside \(found.name)") }
            return QueryAnswer(
                exitStatus: answer.exitStatus, output: [UInt8](answer.output), errors: answer.errors)
        } catch let error as CancellationError {
            // Nobody waits for the answer any more.
            await Task { try? await cancelTask(key, of: instance) }.value
            throw error
        }
    }
}
