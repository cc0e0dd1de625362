import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

@testable import PgBackRestEngine

/// What the catalog says of a real archive.
@Suite(.serialized) struct ArchiveSerialTests {
    @Test(arguments: ["gz", "zst", "lz4", "bz2", "none"])
    func everyCompressionAndACipherAreRead(_ compression: String) async throws {
        let global = [
            "compress-type=\(compression)", "repo1-cipher-type=aes-256-cbc", "repo1-cipher-pass=correct-horse-battery",
        ]
        try await StanzaBench.with(global: global) { bench in
            try await bench.server.query("create table t as select generate_series(1, 5000) i")
            let name = try await bench.archiveAll()
            let catalog = try await bench.engine.catalog(bench.context)
            #expect(catalog.problems.isEmpty, "\(catalog.problems)")
            #expect(catalog.segmentSize == 1 << 20)
            let segment = try #require(catalog.segments.first { "\($0.name)" == name })
            #expect((segment.summary?.commits ?? 0) > 0)
            #expect(
                segment.summary?.systemIdentifier.description
                    == (try await bench.server.value(
                        "select system_identifier from pg_control_system()")))
            #expect(try await bench.engine.segment(segment.name, bench.context).count == 1 << 20)
        }
    }

    /// The ends that `info` tells stay the same: only the archive itself says that a segment is gone.
    @Test func gapsAndDamageAreFoundInTheArchiveItself() async throws {
        try await StanzaBench.with { bench in
            let names = [
                try await bench.archiveAll(), try await bench.archiveAll(), try await bench.archiveAll(),
                try await bench.archiveAll(),
            ]
            let lost = try #require(bench.stanza.archived(names[1]).first)
            try FileManager.default.removeItem(atPath: "\(bench.stanza.repository)/\(lost)")
            let bad = try #require(bench.stanza.archived(names[2]).first)
            let path = "\(bench.stanza.repository)/\(bad)"
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.count / 2] ^= 0x55
            try bytes.write(to: URL(fileURLWithPath: path))
            let catalog = try await bench.engine.catalog(bench.context)
            let listed = catalog.segments.map { "\($0.name)" }
            #expect(listed.contains(names[0]) && listed.contains(names[3]))
            #expect(!listed.contains(names[1]) && !listed.contains(names[2]))
            #expect(catalog.problems.contains { $0.subject == names[2] && $0.error.code == .corrupted })
        }
    }

    /// What was read once is not fetched again, by another coordinator neither.
    @Test func summariesAreRemembered() async throws {
        try await StanzaBench.with { bench in
            let name = try await bench.archiveAll()
            _ = try await bench.engine.catalog(bench.context)
            let counted = Counter()
            var context = bench.context
            let ask = try #require(context.ask)
            context.ask = { query in
                if query.argv.contains("repo-get") { await counted.add() }
                return try await ask(query)
            }
            let other = try PgBackRestEngine(
                PluginContext(
                    name: "orders", stateDirectory: bench.scratch.path("state"), agent: context.agent,
                    resolve: { _ in Secret("") }), PluginOptions(["configFile": .string(bench.stanza.configuration)]))
            let catalog = try await other.catalog(context)
            #expect(catalog.segments.contains { "\($0.name)" == name && $0.summary != nil })
            #expect(await counted.count == 0)
            // A file that was torn is read again.
            let memory = bench.scratch.path("state/pgbackrest/orders.jsonl")
            #expect(truncate(memory, 10) == 0)
            let again = try PgBackRestEngine(
                PluginContext(
                    name: "orders", stateDirectory: bench.scratch.path("state"), agent: context.agent,
                    resolve: { _ in Secret("") }), PluginOptions(["configFile": .string(bench.stanza.configuration)]))
            #expect(try await again.catalog(context).segments.contains { "\($0.name)" == name && $0.summary != nil })
            #expect(await counted.count > 0)
        }
    }

    /// Three different things, and each says what to do.
    @Test func aMissingStanzaALostRepositoryAndAStoppedOneAreToldApart() async throws {
        try await StanzaBench.with(creates: false) { bench in
            #expect(await bench.code { _ = try await bench.engine.catalog(bench.context) } == .unavailable)
            // Another stanza has made the repository.
            for folder in ["archive/other", "backup/other"] {
                let argv = ["mkdir", "-p", "\(bench.stanza.repository)/\(folder)"]
                try await runTool(bench.server.installation.owner.argv(argv)).checked()
            }
            let catalog = try await bench.engine.catalog(bench.context)
            #expect(catalog.backups.isEmpty && catalog.problems.map(\.error.code) == [.notFound])
            try await bench.stanza.create()
            #expect(try await bench.engine.catalog(bench.context).problems.isEmpty)
            chmod("\(bench.stanza.repository)/backup", 0)
            if geteuid() == 0 {
                #expect(await bench.code { _ = try await bench.engine.catalog(bench.context) } == .unavailable)
            }
            chmod("\(bench.stanza.repository)/backup", 0o750)
            try await bench.stanza.run("stop").checked()
            #expect(await bench.code { try await bench.backup("first") } == .refused)
            #expect(try await bench.engine.catalog(bench.context).problems.isEmpty)
            try await bench.stanza.run("start").checked()
        }
    }

    @Test func damagedStanzasAreNotEmptyOnes() async throws {
        try await StanzaBench.with { bench in
            try await bench.backup("first")
            let root = "\(bench.stanza.repository)/backup/orders"
            let files = FileManager.default
            let label = try #require(try await bench.engine.catalog(bench.context).backups.first?.label)
            // Half deleted.
            try files.moveItem(atPath: "\(root)/\(label)", toPath: "\(root)/../away")
            let half = try await bench.engine.catalog(bench.context)
            #expect(half.backups.first?.problem?.contains("folder") == true)
            try files.moveItem(atPath: "\(root)/../away", toPath: "\(root)/\(label)")
            // WAL expired under it.
            let backup = try #require(try await bench.engine.catalog(bench.context).backups.first)
            #expect(backup.problem == nil)
            let name = WALSegmentName(timeline: 1, containing: backup.startLSN, segmentSize: 1 << 20)
            for path in bench.stanza.archived("\(name)-") {
                try files.removeItem(atPath: "\(bench.stanza.repository)/\(path)")
            }
            let expired = try await bench.engine.catalog(bench.context)
            #expect(expired.backups.first?.problem?.contains("\(name)") == true)
            let verified = try? await bench.carryOut(
                bench.engine.verify(.init(key: "v", backups: [], repository: "repo1"), bench.context))
            #expect(verified == nil, "a backup without its WAL is not sound")
            // No backup.info.
            for file in ["backup.info", "backup.info.copy"] { try files.removeItem(atPath: "\(root)/\(file)") }
            let lost = try await bench.engine.catalog(bench.context)
            #expect(lost.backups.isEmpty && lost.problems.map(\.error.code) == [.corrupted])
        }
    }
}

private actor Counter {
    private(set) var count = 0

    func add() { count += 1 }
}
