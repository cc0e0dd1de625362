import FleetPluginAPI
import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesWorkloads

// Takes many Deployments down and brings them back, as one run does. Benchmarks/run-workloads starts it.
//
//   WorkloadBenchmark KUBECONFIG COUNT NAMESPACES CONTEXT=REQUEST-LOG…

let words = Array(CommandLine.arguments.dropFirst())
guard words.count >= 4, let count = Int(words[1]), let namespaces = Int(words[2]) else {
    complain("usage: WorkloadBenchmark KUBECONFIG COUNT NAMESPACES CONTEXT=REQUEST-LOG…")
    exit(2)
}
let places = words.dropFirst(3).map { word in
    let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
    return Place(context: parts[0], log: parts.count == 2 ? parts[1] : "")
}
var fleet = DeploymentFleet(
    kubeconfig: words[0], places: Array(places), namespaces: (1...namespaces).map { "fleet-bench-\(getpid())-\($0)" })

do {
    fleet = try await fleet.created(count)
    let phases = Phases(logs: places.map(\.log))
    let workloads = fleet.workloads
    try await phases.measure("plan: observe, obstacles") {
        try await each(workloads) { workload in
            _ = try await workload.observe()
            let obstacles = try await workload.obstacles()
            guard obstacles.isEmpty else { throw FleetError(.failed, obstacles.joined(separator: "; ")) }
        }
    }
    try await phases.measure("quiesce") { try await each(workloads) { _ = try await $0.quiesce(run: "benchmark") } }
    try await phases.measure("await gone") {
        try await each(workloads) { try await $0.awaitGone(deadline: .seconds(600)) }
    }
    try await phases.measure("resume") {
        try await each(workloads) { workload in
            guard let record = try await workload.observe().record else {
                throw FleetError(.failed, "\(workload.reference) has no record")
            }
            try await workload.resume(record)
        }
    }
    try await phases.measure("observe") {
        try await each(workloads) { workload in
            let seen = try await workload.observe()
            guard seen.desired == DeploymentFleet.copies, seen.record == nil else {
                throw FleetError(.failed, "\(workload.reference) did not come back: \(seen)")
            }
        }
    }
    await fleet.delete()
} catch {
    complain("\(error)")
    await fleet.delete()
    exit(1)
}

/// Runs `body` for all of them at the same time, as the run engine does.
func each(
    _ workloads: [KubernetesWorkload], _ body: @escaping @Sendable (KubernetesWorkload) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for workload in workloads { group.addTask { try await body(workload) } }
        try await group.waitForAll()
    }
}

func complain(_ text: String) {
    let line = text + "\n"
    _ = write(2, line, line.utf8.count)
}
