import FleetPluginAPI
import ProcessRunner
import Testing

@testable import HostPlatform

/// Command lines and files of others, without a server.
@Suite struct ServerCommandTests {
    @Test func systemdIsAskedWithoutWaitingForAnybody() {
        #expect(
            Systemd.start("postgresql@15-main.service").argv
                == [
                    "systemctl", "--no-pager", "--no-ask-password", "start", "--no-block", "postgresql@15-main.service",
                ])
        #expect(
            Systemd.stop("pg").argv == ["systemctl", "--no-pager", "--no-ask-password", "stop", "--no-block", "pg"])
        #expect(Systemd.state("pg").argv.suffix(2) == ["is-active", "pg"])
        #expect(Systemd.log("pg", lines: 5).argv.suffix(2) == ["--lines=5", "--unit=pg"])
    }

    @Test func readsTheConfigFileOfTheLastRun() {
        func file(_ text: String) -> String? { ServerConfiguration.configFile(inOptions: text) }
        #expect(
            file(#"/usr/lib/postgresql/15/bin/postgres "-D" "/d" "-c" "config_file=/etc/postgresql/15/main/a b.conf""#)
                == "/etc/postgresql/15/main/a b.conf")
        #expect(file("/bin/postgres \"-D\" \"/d\" \"--config-file=/x.conf\"\n") == "/x.conf")
        #expect(file(#"/bin/postgres "-cconfig_file=/x.conf""#) == "/x.conf")
        #expect(file(#"/bin/postgres "-D" "config_file=/d""#) == nil)
        #expect(file(#"/bin/postgres "-c""#) == nil)
        #expect(file(#"/bin/postgres "-c" "config_file=relative""#) == nil)
        #expect(file("") == nil)
    }

    @Test func prefersTheSocket() {
        #expect(ServerAddress(port: 1, socketDirectories: "@abstract, /run/pg", listenAddresses: "*").host == "/run/pg")
        #expect(ServerAddress(port: 1, socketDirectories: "", listenAddresses: "*").host == "127.0.0.1")
        #expect(ServerAddress(port: 1, socketDirectories: "", listenAddresses: "10.0.0.5,::1").host == "10.0.0.5")
        #expect(ServerAddress(port: 1, socketDirectories: "", listenAddresses: "::").host == "::1")
    }

    @Test func readsVersions() {
        #expect(Installation.major(inVersion: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)") == "15")
        #expect(Installation.major(inVersion: "postgres (PostgreSQL) 18beta1") == "18")
        #expect(Installation.major(inVersion: "") == nil)
    }
}
