import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import NativeEngine

@Suite(.serialized) struct ConformanceSerialTests {
    @Test(arguments: EngineConformance.cases)
    func conforms(_ rule: EngineConformance.Rule) async throws {
        let storage = MemoryStorage()
        try await ArchivedServer.with(storage) { archived in
            let bench = EngineConformance.Bench(
                engine: archived.engine, context: archived.context, server: archived.server,
                carryOut: { try await archived.carryOut($0) }, place: { try archived.place($0) },
                setReachable: { storage.vanish(!$0) })
            try await rule.check(bench)
        }
    }
}
