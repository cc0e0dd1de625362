import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import HostPlatform
import Testing

/// Scratch places, data set aside, and the agent beside the data.
@Suite struct HostPlaceTests {
    private func request(_ fixture: HostFixture, _ place: String? = nil) -> ScratchRequest {
        ScratchRequest(
            name: "orders-drill", source: fixture.instance, place: place,
            majorVersion: "\(fixture.server.installation.major)", tablespaces: [])
    }

    /// A copy runs beside its source and touches nothing of it.
    @Test func aScratchServerRunsBesideItsSource() async throws {
        try await HostFixture.lend(.init(settings: ["archive_mode": "on", "archive_command": "false"])) { fixture in
            let platform = try fixture.platform()
            let place = try await platform.makeScratch(request(fixture))
            let data = try #require(place.instance.platform.string("dataDirectory"))
            try await runTool(["cp", "-a", "\(fixture.server.dataDirectory)/.", data]).checked()
            try await fixture.server.start()
            try await platform.start(place.instance, deadline: .seconds(60))
            let endpoint = try await platform.endpoint(of: place.instance)
            #expect("\(endpoint.port)" == place.settings["port"] && endpoint.port != fixture.server.port)
            let copy = try await runTool([
                fixture.server.installation.program("psql"), "-XAtq", "-h", endpoint.host, "-p", "\(endpoint.port)",
                "-U",
                "postgres", "-c", "show archive_mode", "-c", "show data_directory",
            ]).checked()
            #expect(copy.text == "off\n\(data)\n")
            // A coordinator that died here tidies up later.
            try await fixture.platform().removeScratch(request(fixture))
            #expect(access(data, F_OK) != 0)
            #expect(HostFixture.processes(withText: data, in: "cmdline").isEmpty)
            #expect(try await fixture.server.value("select 1") == "1")
            try await fixture.platform().removeScratch(request(fixture))
        }
    }

    @Test func onlyScratchPlacesAreRemoved() async throws {
        try await HostFixture.lend { fixture in
            let place = try fixture.scratch.directory("precious")
            try fixture.scratch.write("keep me", to: "precious/file")
            for act in [
                { _ = try await fixture.platform().makeScratch(request(fixture, place)) },
                { try await fixture.platform().removeScratch(request(fixture, place)) },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: FleetError.self) { try await act() }
                #expect(error?.code == .refused)
            }
            #expect(HostFixture.contents("\(place)/file") == "keep me")
            let data = request(fixture, fixture.server.dataDirectory)
            await #expect(throws: FleetError.self) { try await fixture.platform().removeScratch(data) }
            var other = request(fixture)
            _ = try await fixture.platform().makeScratch(other)
            other.source.name = "billing"
            await #expect(throws: FleetError.self) { try await fixture.platform().removeScratch(other) }
        }
    }

    /// Killed anywhere while it removes, it finishes when it is asked again.
    @Test func removalGoesOnAfterACrash() async throws {
        try await HostFixture.lend { fixture in
            let place = try await fixture.platform().makeScratch(request(fixture))
            let data = try #require(place.instance.platform.string("dataDirectory"))
            let root = String(data.dropLast("/data".count))
            try await runTool(["rm", "-r", data]).checked()
            try await fixture.platform().removeScratch(request(fixture))
            #expect(access(root, F_OK) != 0)
            _ = try await fixture.platform().makeScratch(request(fixture))
            try await runTool(["sh", "-c", "rm -r \(root)/*"]).checked()
            try await fixture.platform().removeScratch(request(fixture))
            #expect(access(root, F_OK) != 0)
        }
    }

    @Test func aGivenPlaceIsUsedAndKept() async throws {
        try await HostFixture.lend { fixture in
            let place = try fixture.scratch.directory("clone")
            let made = try await fixture.platform().makeScratch(request(fixture, place))
            #expect(made.instance.platform.string("dataDirectory") == "\(place)/data")
            try await fixture.platform().removeScratch(request(fixture, place))
            #expect(try HostFixture.listing(place).isEmpty)
        }
    }

    @Test func aPlaceTheOwnerCannotEnterIsRefused() async throws {
        guard geteuid() == 0 else { return }
        try await HostFixture.lend { fixture in
            let closed = try fixture.scratch.directory("closed", mode: 0o700)
            let error = await #expect(throws: FleetError.self) {
                _ = try await fixture.platform().makeScratch(request(fixture, "\(closed)/clone"))
            }
            #expect(error?.code == .denied && error?.hint?.contains("scratchDirectory") == true)
        }
    }

    @Test func putBackReplacesWhatWasRestored() async throws {
        try await HostFixture.lend { fixture in
            let data = fixture.server.dataDirectory
            try await fixture.platform().setAside(fixture.instance, tag: "run-7")
            var status = stat()
            #expect(stat(data, &status) == 0 && status.st_mode & 0o777 == 0o700)
            #expect(status.st_uid == fixture.server.installation.owner.uid)
            try fixture.write("restored", "new data")
            // Killed between the two renames: what was restored has gone, the old data is not yet back.
            #expect(rename(data, "\(data).fleet-removed-run-7") == 0)
            try await fixture.platform().putBack(fixture.instance, tag: "run-7")
            #expect(access("\(data)/PG_VERSION", F_OK) == 0 && access("\(data)/restored", F_OK) != 0)
            #expect(try HostFixture.listing(String(data.dropLast("/data".count))) == ["data"])
            try await fixture.server.start()
            #expect(try await fixture.server.value("select 1") == "1")
        }
    }

    @Test func tablespacesAreNotSetAside() async throws {
        try await HostFixture.lend { fixture in
            let place = try fixture.scratch.directory("fast", owner: fixture.server.installation.owner)
            try await fixture.server.start()
            try await fixture.server.query("create tablespace fast location '\(place)'")
            try await fixture.server.stop()
            let error = await #expect(throws: FleetError.self) {
                try await fixture.platform().setAside(fixture.instance, tag: "run-7")
            }
            #expect(error?.code == .refused && error?.message.contains("tablespaces") == true)
            #expect(access("\(fixture.server.dataDirectory)/PG_VERSION", F_OK) == 0)
        }
    }

    /// The state of a fleet that runs as root is closed to the owner of the server: the agent goes where it can be used.
    @Test func theAgentCanBeUsedByTheOwner() async throws {
        try await HostFixture.lend { fixture in
            let agents = try fixture.scratch.directory("agents")
            let context = PluginContext(
                name: "local", stateDirectory: fixture.state,
                agent: AgentInvocation(
                    executable: try BuiltProgram.path("fleet-test-agent"), configuration: "/nonexistent"),
                resolve: { _ in Secret("") })
            let platform = try HostPlatform(
                context: context, options: PluginOptions(["agentDirectory": .string(agents)]))
            let agent = try await platform.installAgent("kind: Fleet\n", for: fixture.instance)
            let again = try await platform.installAgent("kind: Fleet\n", for: fixture.instance)
            #expect(agent == again)
            let owner = fixture.server.installation.owner
            let read = try await runTool(owner.argv(["cat", agent.configuration])).checked()
            #expect(read.text == "kind: Fleet\n")
            // It says that it was used wrongly, so it runs.
            #expect(try await runTool(owner.argv([agent.executable])).exitCode == ExitStatus.usage.rawValue)
        }
    }
}
