extension BenchNamespace {
    /// The label of objects outside of the namespace that go with it.
    static let label = "fleet.test/namespace"

    /// Creates it and waits for its default account, without which no pod is admitted.
    func create() async throws {
        try await cluster.kubectl("create", "namespace", name)
        try await waitUntil("namespace \(name) has its default account") {
            try await run(["get", "serviceaccount/default", "--output", "jsonpath={.secrets[0].name}"]).text.isEmpty
                == false
        }
    }

    /// Deletes it, with finalizers that a test left on its pods and claims, and waits until it is gone.
    ///
    /// A namespace that stays fails no test, but is told of.
    func delete() async {
        // Not cancelled with the test.
        await Task {
            do {
                try await cluster.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
                try await clearFinalizers()
                // Nobody waits for what the containers have to finish.
                _ = try await run(["delete", "pods", "--all", "--grace-period=1", "--wait=false"])
                try await cluster.kubectl("wait", "--for=delete", "namespace/\(name)", "--timeout=120s")
            } catch {
                let gone = try? await cluster.runKubectl(["get", "namespace", name, "--ignore-not-found"])
                if gone?.text.isEmpty != true { print("namespace \(name) was not deleted: \(error)") }
            }
            _ = try? await cluster.runKubectl(
                ["delete", "persistentvolumes", "--selector", "\(Self.label)=\(name)", "--wait=false"])
        }.value
    }

    private func clearFinalizers() async throws {
        let path = "jsonpath={range .items[?(@.metadata.finalizers)]}{.kind}/{.metadata.name} {end}"
        let held = try await kubectl("get", "pods,jobs,statefulsets,deployments", "--output", path)
        for object in held.split(separator: " ") {
            _ = try await run(
                ["patch", String(object), "--type=merge", "--patch", #"{"metadata":{"finalizers":null}}"#])
        }
    }
}
