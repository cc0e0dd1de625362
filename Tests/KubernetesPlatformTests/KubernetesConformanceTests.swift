import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import KubernetesPlatform

@Suite(
    .serialized,
    .enabled("needs the clusters: make clusters-up") { try KubernetesBench.isAvailable() })
struct KubernetesConformanceTests {
    @Test(arguments: PlatformConformance.rules)
    func conforms(_ rule: PlatformConformance.Rule) async throws {
        try await PlatformFixture.lend { fixture in
            try await fixture.scale(0)
            let subject = PlatformConformance(
                instance: fixture.instance, majorVersion: "\(fixture.bench.postgresMajor)", prefix: "suite",
                secret: (.environment("TOKEN"), PlatformFixture.secret),
                canConnect: { try await fixture.canConnect($0) }, decidesHowServersEnd: false,
                makePlatform: { try fixture.platform() })
            try await rule.check(subject)
        }
    }
}
