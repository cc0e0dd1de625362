import FleetPluginAPI
import Testing

@testable import PgBackRestEngine

@Suite struct FinderTests {
    private func found(_ system: UInt64?) -> DiscoveredInstance {
        DiscoveredInstance(
            suggestedName: "orders", platform: PluginOptions(),
            systemIdentifier: system.map { SystemIdentifier(rawValue: $0) }, majorVersion: "15", isRunning: true)
    }

    private func find(_ system: UInt64?, _ answer: String, status: Int32 = 0) async -> EngineFinding? {
        await PgBackRestEngine.finder(found(system)) { query in
            #expect(query.argv.first == "pgbackrest" && query.argv.last == "info")
            return QueryAnswer(exitStatus: status, output: Array(answer.utf8), errors: "")
        }
    }

    @Test func aStanzaIsFoundByTheServerItServes() async {
        let finding = await find(7_712_298_173_224_543_807, InfoSamples.full245)
        #expect(finding?.engine.values == ["plugin": "pgbackrest", "stanza": "main"])
        #expect(finding?.remarks.first?.contains("2 backups") == true)
        let both = await find(7_712_298_173_224_543_807, InfoSamples.twoRepositories)
        #expect(both?.engine.strings("repos") == ["1", "2"])
    }

    @Test func noOtherServersStanzaIsTaken() async {
        #expect(await find(1, InfoSamples.full245) == nil)
        #expect(await find(nil, InfoSamples.full245) == nil)
        // The one from before pg_upgrade.
        #expect(await find(7_000_000_000_000_000_001, InfoSamples.upgraded) == nil)
        #expect(await find(7_000_000_000_000_000_002, InfoSamples.upgraded) != nil)
    }

    @Test func whereThereIsNoPgBackRestNothingIsFound() async {
        #expect(await find(1, "", status: 127) == nil)
        #expect(await find(1, "sh: pgbackrest: not found") == nil)
        let none = await PgBackRestEngine.finder(found(1)) { _ in throw FleetError(.notFound, "no pgbackrest") }
        #expect(none == nil)
    }

    /// As Debian starts its servers, with a configuration elsewhere that names another.
    @Test func theConfigurationThatArchiveCommandNamesIsAsked() async {
        var server = found(7_712_298_173_224_543_807)
        server.platform = PluginOptions(["dataDirectory": "/srv/15"])
        let files = [
            "/srv/15/postmaster.opts":
                #"/usr/lib/postgresql/15/bin/postgres "-D" "/srv/15" "-c" "config_file=/etc/pg/15.conf""#,
            "/etc/pg/15.conf":
                "port = 5432\narchive_command = 'pgbackrest --config=/etc/pb/x.conf --stanza=main archive-push %p'\n",
        ]
        let finding = await PgBackRestEngine.finder(server) { query in
            if query.argv.first == "cat" {
                let text = query.argv.dropFirst(2).compactMap { files[$0] }.joined(separator: "\n")
                return QueryAnswer(exitStatus: 1, output: Array(text.utf8), errors: "cat: something is missing")
            }
            let knows = query.argv.contains("--config=/etc/pb/x.conf")
            return QueryAnswer(exitStatus: 0, output: Array((knows ? InfoSamples.full245 : "[]").utf8), errors: "")
        }
        #expect(
            finding?.engine.values == [
                "plugin": "pgbackrest", "stanza": "main", "configFile": "/etc/pb/x.conf",
            ])
    }

    @Test(
        arguments: [
            ("archive_command='pgbackrest --stanza=a archive-push %p'", nil),
            ("  archive_command = 'pgbackrest --config /c --stanza b archive-push %p' # x", "/c"),
            ("archive_command = 'pgbackrest --stanza=a x'\narchive_command = 'pgbackrest --config=/c x'", "/c"),
        ] as [(String, String?)])
    func theLastCommandCounts(_ text: String, _ configuration: String?) {
        let hint = ArchiveCommandHint(text)
        #expect(hint != nil && hint?.configuration == configuration)
    }

    @Test(arguments: [
        "", "#archive_command = 'pgbackrest x'", "archive_command = 'cp %p /x'", "restore_command = 'pgbackrest'",
    ])
    func nothingElseIsPgBackRest(_ text: String) {
        #expect(ArchiveCommandHint(text) == nil)
    }
}
