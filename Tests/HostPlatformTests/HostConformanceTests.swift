import FleetPluginAPI
import FleetTestSupport
import Testing

@Suite struct HostConformanceTests {
    @Test(arguments: PlatformConformance.rules)
    func conforms(_ rule: PlatformConformance.Rule) async throws {
        try await HostFixture.lend { fixture in
            let subject = PlatformConformance(
                instance: fixture.instance, majorVersion: "\(fixture.server.installation.major)", prefix: "suite",
                secret: (.environment("TOKEN"), HostFixture.secret),
                canConnect: { endpoint in
                    let tool = try await runTool([
                        fixture.server.installation.program("pg_isready"), "-q", "-h", endpoint.host, "-p",
                        "\(endpoint.port)", "-t", "5",
                    ])
                    return tool.exitCode == 0
                },
                makePlatform: { try fixture.platform() })
            try await rule.check(subject)
        }
    }
}
