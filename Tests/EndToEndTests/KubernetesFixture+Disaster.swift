import FleetPluginAPI
import FleetTestSupport

extension KubernetesFixture {
    /// What fleet made for its tasks and questions and did not take away.
    func leftovers() async throws -> String {
        try await infra.kubectl(
            "get", "jobs,secrets", "--output", "name", "--selector", "app.kubernetes.io/managed-by=fleet")
    }

    /// The pod of the task that runs, once there is one: `pod/NAME`.
    func taskPod() async throws -> String {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            let found = try await infra.kubectl(
                "get", "pods", "--output", "name", "--selector", "app.kubernetes.io/managed-by=fleet,job-name")
            if let pod = found.split(separator: "\n").first { return String(pod) }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw FixtureError("no pod of a task appeared")
    }

    /// A backup, 500 rows, and their loss; returns the moment before it, and how the workloads are.
    func prepareDisaster() async throws -> (target: String, workloads: [String]) {
        _ = try await sql("create table orders (id int primary key)")
        try await fleet("backup", "orders").checked()
        _ = try await sql("insert into orders select generate_series(1, 500)")
        let target = try await now()
        _ = try await sql("delete from orders")
        return (target, try await workloads())
    }

    func restoreRun() async throws -> String {
        let runs = try await json("runs", "list")["runs"]?.array ?? []
        guard let id = runs.first(where: { $0["kind"]?.string == "restore" })?["id"]?.string else {
            throw FixtureError("there is no restore run")
        }
        return id
    }
}
