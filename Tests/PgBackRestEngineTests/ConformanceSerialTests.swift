import FleetPluginAPI
import FleetTestSupport
import Foundation
import Testing

@testable import PgBackRestEngine

@Suite(.serialized) struct ConformanceSerialTests {
    @Test(arguments: EngineConformance.cases)
    func conforms(_ rule: EngineConformance.Rule) async throws {
        try await check(rule, declares: false)
    }

    @Test(arguments: EngineConformance.cases)
    func conformsWithRepositoriesOfFleet(_ rule: EngineConformance.Rule) async throws {
        try await check(rule, declares: true)
    }

    private func check(_ rule: EngineConformance.Rule, declares: Bool) async throws {
        let options: [String: JSONValue] = declares ? [:] : ["retention": "fleet", "manageStanza": true]
        try await StanzaBench.with(options: options, creates: false, declares: declares) { bench in
            let away = bench.repository + ".away"
            let conformance = EngineConformance.Bench(
                engine: bench.engine, context: bench.context, sql: { try await bench.server.answer($0) },
                carryOut: { try await bench.carryOut($0) },
                withPlace: { body in
                    try await EngineConformance.Place.lend(
                        bench.place("restored"), beside: bench.server, context: bench.context,
                        carryOut: { try await bench.carryOut($0) }, body)
                },
                setReachable: { isReachable in
                    let here = bench.repository
                    try FileManager.default.moveItem(
                        atPath: isReachable ? away : here, toPath: isReachable ? here : away)
                })
            try await rule.check(conformance)
        }
    }
}
