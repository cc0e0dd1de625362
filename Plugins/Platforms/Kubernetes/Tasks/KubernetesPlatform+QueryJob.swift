import FleetPluginAPI
import KubernetesClient

/// Names of Jobs that ask: the same question has the same one, so that what a crash left is found again.
enum QueryKey {
    private static let prefix = "fleet-ask-"

    static func key(_ query: PlaceQuery) -> String {
        var words = query.argv
        words += query.environment.sorted { $0.key < $1.key }.flatMap { ["e", $0.key, $0.value] }
        words += query.secrets.keys.sorted().flatMap { ["s", $0] }
        words += ["\(query.deadline)", "\(query.outputLimit)"]
        let text = words.map { "\($0.utf8.count):\($0)" }.joined()
        return prefix + ObjectNames.digest(text) + ObjectNames.digest("again " + text)
    }

    static func isKey(_ label: String) -> Bool { label.hasPrefix(prefix) }
}

extension KubernetesPlatform {
    /// A question whose Job somebody else took away is asked again.
    func askByJob(_ query: PlaceQuery, _ key: String, _ instance: KubernetesInstance) async throws -> QueryAnswer {
        var attempts = 3
        while true {
            do {
                return try await askByJobOnce(query, key, instance)
            } catch is VanishedTask where attempts > 1 {
                attempts -= 1
            } catch let vanished as VanishedTask {
                throw vanished.error
            }
        }
    }

    private func askByJobOnce(
        _ query: PlaceQuery, _ key: String, _ instance: KubernetesInstance
    ) async throws -> QueryAnswer {
        let declared = instance.declared.instance
        // One that runs has been asked just now; an answer that lies there may be of any time.
        if try await observeTask(key, of: declared) != .running { try await forgetTask(key, of: declared) }
        let users = try await users(ofClaim: instance.data.claim, in: instance.namespace)
        if users.isEmpty, try await !claimExists(instance) {
            throw FleetError(
                .unavailable, "nothing can be asked beside the data of \(instance.name)",
                cause: "the claim \(instance.namespace)/\(instance.data.claim) does not exist")
        }
        let call = PodTaskCall(
            // The question's own deadline is kept within.
            deadline: query.deadline + .seconds(30),
            ownedLike: [instance.dataDirectory] + instance.repositoryVolumes.keys.sorted(), owner: instance.owner,
            argv: AnswerCall(deadline: query.deadline, limit: query.outputLimit, argv: query.argv).command)
        let job = JobManifest(
            instance: instance, settings: settings, name: try ObjectNames.job(key, of: declared), key: key,
            purpose: "ask beside the data of \(instance.name)", call: call, environment: query.environment,
            secrets: Array(query.secrets.keys), mounts: .data,
            // A claim may be one node's at a time.
            node: users.lazy.compactMap(\.node).first, isForgotten: true)
        let secrets = try await query.secrets.resolved(context.resolve)
        do {
            try await create(job, secrets)
            let outcome = try await finish(key, of: instance, patience: query.deadline + Self.startPatience)
            let output = try await taskOutput(key, of: declared, from: 0)
            let errors = try await taskErrors(key, of: declared)
            try await forgetTask(key, of: declared)
            return try AnswerText.answer(output, errors, outcome, query, instance.name)
        } catch {
            // Whatever becomes of this call, nothing stays; cancelled ones clean up too.
            await Task {
                try? await cancelTask(key, of: declared)
                try? await forgetTask(key, of: declared)
            }.value
            throw error
        }
    }

    /// For a pod to be scheduled, to fetch its images and to be gone again.
    private static let startPatience = Duration.seconds(150)
}
