import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import Glibc
import HostPlatform
import ProcessRunner
import Testing

@Suite struct HostServerTests {
    @Test func seesEveryStateOfAServer() async throws {
        try await HostFixture.lend { fixture in
            let platform = try fixture.platform()
            try await fixture.server.start()
            let running = try await platform.observe(fixture.instance)
            #expect(running.state == .running)
            #expect(
                running.control?.systemIdentifier.description
                    == (try await fixture.server.controlData(
                        "Database system identifier")))
            #expect(running.control?.state == "in production")
            try await fixture.server.crash()
            let crashed = try await platform.observe(fixture.instance)
            #expect(crashed.state == .stopped)
            #expect(crashed.remarks.contains { $0.contains("postmaster.pid was left behind") })
            try await platform.start(fixture.instance, deadline: .seconds(60))
            #expect(try await fixture.server.value("select 1") == "1")
        }
    }

    /// The pid of a postmaster that crashed may be anybody's now: somebody who must not be signalled.
    @Test func leavesTheProcessAloneThatHasAStalePid() async throws {
        try await HostFixture.lend { fixture in
            try await fixture.server.start()
            try await fixture.server.crash()
            let bystander = try await ChildProcess.start(["sleep", "600"])
            defer { bystander.signal(SIGKILL) }
            let path = "\(fixture.server.dataDirectory)/postmaster.pid"
            var lines = HostFixture.contents(path).split(separator: "\n", omittingEmptySubsequences: false)
            lines[0] = "\(bystander.pid)"
            try lines.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
            let platform = try fixture.platform()
            #expect(try await platform.observe(fixture.instance).state == .stopped)
            try await platform.stop(fixture.instance, mode: .immediate, deadline: .seconds(10))
            #expect(bystander.isRunning)
        }
    }

    @Test func aServerThatHangsIsSaidToBeLeft() async throws {
        try await HostFixture.lend { fixture in
            try await fixture.server.start()
            let pid = try #require(fixture.server.pid)
            fixture.server.freeze(true)
            let platform = try fixture.platform()
            let error = await #expect(throws: FleetError.self) {
                try await platform.stop(fixture.instance, mode: .fast, deadline: .milliseconds(500))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.cause?.contains("process \(pid)") == true)
            #expect(error?.hint?.contains("kill -CONT \(pid)") == true)
            #expect(try await platform.observe(fixture.instance).state != .stopped)
            fixture.server.freeze(false)
            try await platform.stop(fixture.instance, mode: .fast, deadline: .seconds(60))
            #expect(try await platform.observe(fixture.instance).state == .stopped)
        }
    }

    /// A backend that outlives its postmaster still has the data directory in its hands.
    @Test func aServerIsNotGoneBeforeItsLastBackend() async throws {
        try await HostFixture.lend { fixture in
            try await fixture.server.start()
            let pid = try #require(fixture.server.pid)
            let postmaster = try #require(ProcessIdentity(pid: pid))
            let backends = ProcessTable.all().filter { $0.parent == postmaster.pid }
            let frozen = try #require(backends.first { $0.name.hasPrefix("postgres") })
            kill(frozen.pid, SIGSTOP)
            defer { kill(frozen.pid, SIGCONT) }
            try postmaster.signal(SIGKILL)
            try await postmaster.waitGone(deadline: .seconds(20))
            let platform = try fixture.platform()
            let observed = try await platform.observe(fixture.instance)
            #expect(observed.state == .stopping)
            #expect(observed.remarks.contains { $0.contains("process \(frozen.pid)") })
            await #expect(throws: FleetError.self) {
                try await platform.start(fixture.instance, deadline: .seconds(5))
            }
            await #expect(throws: FleetError.self) {
                try await platform.setAside(fixture.instance, tag: "x")
            }
            await #expect(throws: FleetError.self) {
                try await platform.stop(fixture.instance, mode: .immediate, deadline: .milliseconds(300))
            }
            kill(frozen.pid, SIGCONT)
            try await platform.stop(fixture.instance, mode: .immediate, deadline: .seconds(20))
            #expect(try await platform.observe(fixture.instance).state == .stopped)
        }
    }

    @Test func aServerThatCannotStartSaysWhy() async throws {
        try await HostFixture.lend { fixture in
            try fixture.server.configure(["shared_preload_libraries": "no_such_library"])
            let error = await #expect(throws: FleetError.self) {
                try await fixture.platform().start(fixture.instance, deadline: .seconds(30))
            }
            #expect(error?.code == .failed)
            #expect(error?.cause?.contains("no_such_library") == true)
            #expect(try await fixture.platform().observe(fixture.instance).state == .stopped)
        }
    }

    /// A restore is started like this: in recovery, paused, open for reading.
    @Test func aStandbyThatTakesConnectionsHasStarted() async throws {
        try await HostFixture.lend(.init(settings: ["restore_command": "false"])) { fixture in
            // pg_control then has this server's own settings, and recovery needs no larger ones.
            try await fixture.server.start()
            try await fixture.server.stop()
            try fixture.write("standby.signal", "")
            try await fixture.platform().start(fixture.instance, deadline: .seconds(60))
            #expect(try await fixture.server.value("select pg_is_in_recovery()") == "t")
            try await fixture.platform().stop(fixture.instance, mode: .fast, deadline: .seconds(60))
            #expect(try await fixture.platform().observe(fixture.instance).control?.state == "shut down in recovery")
        }
    }

    @Test func findsTheEndpointWithAndWithoutTheServer() async throws {
        try await HostFixture.lend { fixture in
            let platform = try fixture.platform()
            let down = try await platform.endpoint(of: fixture.instance)
            #expect(down.host == fixture.server.socketDirectory && down.port == fixture.server.port)
            #expect(down.user == "postgres" && down.database == "postgres")
            try await fixture.server.start()
            #expect(try await platform.endpoint(of: fixture.instance) == down)
            var declared = fixture.instance
            declared.connection = ConnectionOptions(host: "127.0.0.1", user: "fleet", password: .environment("PW"))
            let merged = try await platform.endpoint(of: declared)
            #expect(merged.host == "127.0.0.1" && merged.user == "fleet" && merged.port == fixture.server.port)
            #expect(merged.password == .environment("PW"))
        }
    }

    @Test func findsServersNobodyDeclared() async throws {
        try await HostFixture.lend(.init(ownSystemIdentifier: true)) { fixture in
            try await fixture.server.start()
            let found = try await fixture.platform().discover()
            let ours = found.filter { $0.platform.string("dataDirectory") == fixture.server.dataDirectory }
            let it = try #require(ours.first)
            #expect(ours.count == 1 && it.isRunning && it.majorVersion == "\(fixture.server.installation.major)")
            #expect(
                it.systemIdentifier?.description
                    == (try await fixture.server.controlData(
                        "Database system identifier")))
            #expect(Set(found.map(\.suggestedName)).count == found.count)
        }
    }

    @Test func followsTheLoggingCollector() async throws {
        try await HostFixture.lend(.init(settings: ["logging_collector": "on", "log_directory": "log"])) { fixture in
            try await fixture.platform().start(fixture.instance, deadline: .seconds(60))
            try await fixture.server.query("do $$ begin raise log 'a word for the log'; end $$")
            let lines = try await fixture.platform().recentLog(of: fixture.instance, lines: 20)
            #expect(lines.contains { $0.contains("a word for the log") })
            #expect(try await fixture.platform().recentLog(of: fixture.instance, lines: 1).count == 1)
        }
    }

    /// Debian keeps postgresql.conf outside the data directory, and it names the data directory.
    @Test func startsWithAConfigurationElsewhere() async throws {
        try await HostFixture.lend { fixture in
            let conf = try fixture.scratch.directory("etc", owner: fixture.server.installation.owner)
            for name in ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"] {
                try await runTool(["mv", "\(fixture.server.dataDirectory)/\(name)", "\(conf)/\(name)"]).checked()
            }
            let extra =
                "data_directory = '\(fixture.server.dataDirectory)'\nhba_file = '\(conf)/pg_hba.conf'\n"
                + "ident_file = '\(conf)/pg_ident.conf'\n"
            let file = "\(conf)/postgresql.conf"
            try (HostFixture.contents(file) + extra).write(toFile: file, atomically: false, encoding: .utf8)
            var instance = fixture.instance
            instance.platform.values["configFile"] = .string(file)
            let platform = try fixture.platform()
            #expect(try await platform.endpoint(of: instance).port == fixture.server.port)
            try await platform.start(instance, deadline: .seconds(60))
            try await platform.stop(instance, mode: .fast, deadline: .seconds(60))
            // The last run was given the file: it needs not be declared.
            try await platform.start(fixture.instance, deadline: .seconds(60))
            #expect(try await fixture.server.value("show config_file") == file)
            // A copy elsewhere uses the same file and another data directory.
            let scratch = try await platform.makeScratch(
                ScratchRequest(
                    name: "copy", source: fixture.instance, place: nil,
                    majorVersion: "\(fixture.server.installation.major)", tablespaces: []))
            #expect(scratch.instance.platform.string("configFile") == file)
        }
    }

    @Test func knowsWhereAnInstanceIsBeforeItHasData() async throws {
        try await HostFixture.lend { fixture in
            let location = try await fixture.platform().location(of: fixture.instance)
            #expect(location.owner == fixture.server.installation.owner.name)
            #expect(location.binDirectory == fixture.server.installation.binaries)
            var absent = fixture.instance
            absent.platform.values["dataDirectory"] = .string("\(fixture.server.dataDirectory)/../elsewhere/")
            let place = try await fixture.platform().location(of: absent)
            #expect(place.owner == fixture.server.installation.owner.name && place.binDirectory == nil)
            #expect(try await fixture.platform().observe(absent).state == .absent)
        }
    }
}

extension HostFixture {
    /// A file in the data directory, the owner's.
    func write(_ name: String, _ text: String) throws {
        let path = "\(server.dataDirectory)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try server.installation.owner.own(path)
    }
}
