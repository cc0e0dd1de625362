import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import NativeEngine

@Suite(.serialized) struct ConformanceSerialTests {
    @Test(arguments: EngineConformance.cases, [false, true])
    func conforms(_ rule: EngineConformance.Rule, encrypted: Bool) async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage, encrypted: encrypted) { archived in
            let bench = EngineConformance.Bench(
                engine: archived.engine, context: archived.context, sql: { try await archived.server.answer($0) },
                carryOut: { try await archived.carryOut($0) },
                withPlace: { body in
                    try await EngineConformance.Place.lend(
                        archived.place("restored"), beside: archived.server, context: archived.context,
                        carryOut: { try await archived.carryOut($0) }, body)
                },
                setReachable: { storage.vanish(!$0) })
            try await rule.check(bench)
        }
    }
}
