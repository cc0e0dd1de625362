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
}
