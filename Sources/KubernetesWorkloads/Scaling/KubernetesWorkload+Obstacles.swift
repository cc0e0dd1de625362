import FleetPluginAPI
import KubernetesClient

extension KubernetesWorkload {
    /// Owners that would fight it, and every permission that `quiesce` and `resume` need for what was found and that is
    /// missing (SelfSubjectAccessReview).
    public func obstacles() async throws -> [String] {
        let cluster = try await cluster()
        var needed = inherentNeeds
        var found: [String] = []
        var unknowns: [String] = []
        do {
            let state = try await self.state(cluster)
            let around = try await finder(cluster, state).find()
            found = inherentObstacles(state) + around.obstacles
            unknowns = around.unknowns
            needed += around.reads
            for target in around.pauses.map(\.target) {
                for verb in ["get", "patch"] {
                    needed.append(AccessCheck(verb, target.kind, namespace: target.namespace, name: target.name))
                }
            }
        } catch let error as FleetError where error.code == .denied {
            unknowns.append(error.description)
        } catch let error as FleetError where error.code == .notFound {
            return [error.description]
        }
        let missing = try await cluster.access.missing(Set(needed))
        found += missing.map { "the account \(cluster.account) may not \($0.sentence)" }.sorted()
        // What could not be read is among what is missing, but for a permission that came or went just now.
        return missing.isEmpty ? found + unknowns : found
    }

    /// What is needed whatever is found around it.
    private var inherentNeeds: [AccessCheck] {
        let object = reference.object
        var needs = ["get", "patch"].map {
            AccessCheck($0, object.kind, namespace: object.namespace, name: object.name)
        }
        // Many workloads of a namespace are looked at with one list.
        needs.append(AccessCheck("list", object.kind, namespace: object.namespace))
        needs.append(AccessCheck("list", .pods, namespace: object.namespace))
        if reference.kind == .deployment {
            for verb in ["list", "patch"] {
                needs.append(AccessCheck(verb, .replicaSets, namespace: object.namespace))
            }
        }
        if !options.cronJobs.isEmpty { needs.append(AccessCheck("list", .jobs, namespace: object.namespace)) }
        return needs
    }
}

extension AccessCheck {
    /// `patch deployments.apps “backend” in the namespace prod`
    fileprivate var sentence: String {
        var text = "\(verb) \(resource)" + (group.isEmpty ? "" : ".\(group)")
        if let subresource { text += "/\(subresource)" }
        if let name { text += " “\(name)”" }
        return text + (namespace.map { " in the namespace \($0)" } ?? "")
    }
}
