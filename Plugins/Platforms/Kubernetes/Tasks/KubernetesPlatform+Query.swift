public import FleetPluginAPI
import KubernetesClient
import Synchronization

extension KubernetesPlatform {
    /// In the server's container while it runs, else by a short Job; always by a Job where secrets are needed, since a
    /// command line in a container can be seen by others.
    public func query(_ query: PlaceQuery, of instance: Instance) async throws -> QueryAnswer {
        let found = try await resolve(instance)
        if query.secrets.isEmpty, let answer = try await askInContainer(query, found) { return answer }
        let key = QueryKey.key(query)
        // Two at once under one key would take each other's Job away.
        return try await link.asking("\(found.workload) \(key)") { try await askByJob(query, key, found) }
    }

    /// Nil where no container can be asked: none runs, fleet may not, or it has neither a shell nor the means to
    /// become the owner of the data.
    private func askInContainer(_ query: PlaceQuery, _ instance: KubernetesInstance) async throws -> QueryAnswer? {
        try await riding { () async throws -> Result<QueryAnswer?, FleetError> in
            guard let pod = try await pods(of: instance).first(where: { $0.isRunning(instance.containerName) }) else {
                return .success(nil)
            }
            do {
                let answer = try await exec(query, in: pod, instance)
                return .success(ContainerCommand.isRefusal(answer) ? nil : answer)
            } catch let error as FleetError where Self.asksOtherwise.contains(error.code) {
                return .success(nil)
            } catch let error as FleetError where error.code == .timedOut {
                // The question's own deadline, which is not ridden out.
                return .failure(error)
            }
        }.get()
    }

    private static let asksOtherwise: Set<FleetError.Code> = [.failed, .notFound, .denied, .unsupported]

    private func exec(
        _ query: PlaceQuery, in pod: PodView, _ instance: KubernetesInstance
    ) async throws -> QueryAnswer {
        let said = Mutex(Said())
        let (limit, name) = (query.outputLimit, instance.name)
        let program = query.argv.first ?? "nothing"
        let status = try await link.client().exec(
            pod: pod.name, namespace: instance.namespace, container: instance.containerName,
            command: ContainerCommand.argv(query, owner: instance.owner), deadline: query.deadline
        ) { stream, bytes in
            guard said.withLock({ $0.add(stream, bytes, limit) }) else {
                throw AnswerText.tooLong(program, limit, name)
            }
        }
        return said.withLock {
            QueryAnswer(exitStatus: status, output: $0.output, errors: String(decoding: $0.errors, as: UTF8.self))
        }
    }

    private struct Said {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        private static let errorLimit = 64 << 10

        /// False where it is more than the limit.
        mutating func add(_ stream: ExecStream, _ bytes: [UInt8], _ limit: Int) -> Bool {
            switch stream {
            case .output: output += bytes
            case .errors:
                errors += bytes
                if errors.count > Self.errorLimit { errors.removeFirst(errors.count - Self.errorLimit) }
            }
            return output.count <= limit
        }
    }
}

/// A question as it is put into a server's container.
enum ContainerCommand {
    private static let refusal = "fleet: the container has no means to become the owner of the data"
    private static let refused: Int32 = 125

    /// `$1` is the owner, `$2` how many seconds it may take. What is left of a question whose connection ended is
    /// killed by `timeout` where there is one. A program that is not there is 127, as shells have it.
    private static let script = """
        owner=$1 seconds=$2; shift 2
        if command -v timeout >/dev/null 2>&1; then set -- timeout -s KILL "$seconds" "$@"; fi
        cd /
        if [ "$(id -u)" != 0 ] || [ "$owner" = 0 ] || [ "$owner" = root ]; then exec "$@"; fi
        for tool in gosu su-exec; do
          if command -v "$tool" >/dev/null 2>&1; then exec "$tool" "$owner" "$@"; fi
        done
        if command -v setpriv >/dev/null 2>&1 && user=$(id -u "$owner" 2>/dev/null); then
          exec setpriv --reuid="$user" --regid="$(id -g "$owner")" --init-groups -- "$@"
        fi
        echo '\(refusal)' >&2
        exit \(refused)
        """

    static func argv(_ query: PlaceQuery, owner: String) -> [String] {
        let variables = query.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        // A second later than fleet stops to wait.
        let seconds = query.deadline.components.seconds + 2
        return ["sh", "-c", script, "sh", owner, "\(seconds)"] + (variables.isEmpty ? [] : ["env"] + variables)
            + query.argv
    }

    static func isRefusal(_ answer: QueryAnswer) -> Bool {
        answer.exitStatus == refused && answer.errors == refusal + "\n"
    }
}
