import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import KubernetesWorkloads

/// Takes the API server away from everybody.
@Suite(.serialized, .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct WorkloadFaultsSerialTests {
    @Test(.timeLimit(.minutes(5)), arguments: [true, false])
    func anAPIServerThatIsAwayIsWaitedFor(_ isRefusing: Bool) async throws {
        try await WorkloadFixture.lend { fixture in
            try await fixture.deploy(replicas: 1)
            let cluster = fixture.namespace.cluster
            let away = { (act: @escaping @Sendable () async throws -> Void) in
                let work = Task { try await act() }
                let pause = { try await Task.sleep(for: .seconds(isRefusing ? 20 : 40)) }
                if isRefusing {
                    try await cluster.withStopped(.apiserver, pause)
                } else {
                    try await cluster.withPaused(.apiserver, pause)
                }
                try await work.value
            }
            try await away { _ = try await fixture.scaler().quiesce(run: "run-1") }
            let record = try await fixture.scaler().quiesce(run: "run-1")
            #expect(record.original == 1)
            try await away { try await fixture.scaler().awaitGone(deadline: .seconds(100)) }
            try await away { try await fixture.scaler().resume(record) }
            try await fixture.scaler().awaitReady(record, deadline: .seconds(100))
        }
    }
}
