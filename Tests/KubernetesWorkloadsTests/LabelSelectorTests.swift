import FleetPluginAPI
import Testing

@testable import KubernetesWorkloads

@Suite struct LabelSelectorTests {
    private static let all: JSONValue = [
        "matchLabels": ["app": "backend"],
        "matchExpressions": [
            ["key": "tier", "operator": "In", "values": ["web", "api"]],
            ["key": "stage", "operator": "NotIn", "values": ["test"]],
            ["key": "release", "operator": "Exists"],
            ["key": "canary", "operator": "DoesNotExist"],
        ],
    ]

    @Test func everyRequirementHolds() throws {
        let selector = try LabelSelector(Self.all, of: "x")
        let labels = ["app": "backend", "tier": "api", "release": "7"]
        #expect(selector.matches(labels))
        for (key, value) in [("app", "other"), ("tier", "db"), ("stage", "test"), ("canary", "yes")] {
            #expect(!selector.matches(labels.merging([key: value]) { $1 }), "\(key)=\(value)")
        }
        for key in ["app", "tier", "release"] {
            #expect(!selector.matches(labels.filter { $0.key != key }), "without \(key)")
        }
        #expect(selector.matches(labels.merging(["stage": "live"]) { $1 }))
        #expect(selector.text == "!canary,app=backend,release,stage notin (test),tier in (api,web)")
    }

    /// Part of a selector must never be taken for the whole of it.
    @Test(arguments: [
        JSONValue.null, [:], ["matchLabels": [:]], ["matchLabels": ["app": 7]],
        ["matchExpressions": [["key": "a", "operator": "Gt", "values": ["1"]]]],
        ["matchExpressions": [["key": "a", "operator": "In", "values": []]]],
        ["matchExpressions": [["key": "a", "operator": "Exists", "values": ["b"]]]],
        ["matchExpressions": [["operator": "Exists"]]], ["matchExpressions": ["app"]],
    ])
    func refusesWhatItDoesNotUnderstand(_ value: JSONValue) {
        let error = #expect(throws: FleetError.self) { try LabelSelector(value, of: "Deployment prod/backend") }
        #expect(error?.code == .protocolViolation && error?.message.contains("prod/backend") == true)
    }

    /// Whatever stands there: it is understood, or refused with an error.
    @Test func neverCrashesOnRandomValues() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            let value = JSONValue.random(depth: 4, &random)
            do {
                let selector = try LabelSelector(value, of: "x")
                #expect(!selector.requirements.isEmpty)
                _ = selector.matches(["app": "b", "tier": ""])
            } catch {
                #expect(error.code == .protocolViolation)
            }
        }
    }

    @Test func cronJobsAreNamedOrLabelled() throws {
        #expect(try CronJobWish("nightly") == .name("nightly"))
        guard case .labels(let selector) = try CronJobWish("app=backend, tier!=cache,!manual,release") else {
            Issue.record("no labels")
            return
        }
        #expect(selector.text == "!manual,app=backend,release,tier notin (cache)")
        for text in ["=a", "a=b=c", "a=,,", "!", ",", "a=1,a=2", "!a=b"] {
            #expect(throws: FleetError.self, "\(text)") { try CronJobWish(text) }
        }
    }
}

extension JSONValue {
    /// Values of the shape that selectors, pods and records have, and of none.
    static func random(depth: Int, _ random: inout SystemRandomNumberGenerator) -> JSONValue {
        let words = [
            "matchLabels", "matchExpressions", "key", "operator", "values", "In", "NotIn", "Exists", "DoesNotExist", "",
            "app", "run", "original", "details", "paused", "metadata", "status", "phase", "containerStatuses", "state",
            "waiting", "reason", "conditions", "type", "deletionTimestamp", "ownerReferences", "controller",
        ]
        let word = words.randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<(depth > 0 ? 9 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(.random(in: .min ... .max, using: &random))
        case 3, 4: return .string(word)
        case 5, 6:
            return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in .random(depth: depth - 1, &random) })
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                members[words.randomElement(using: &random) ?? ""] = .random(depth: depth - 1, &random)
            }
            return .object(members)
        }
    }
}
