import FleetConfig
import FleetPluginAPI
import FleetStore
import Testing

@testable import FleetCoordinator

@Suite struct StagePlannerTests {
    private func member(_ name: String, _ environment: String) -> Plan.Member {
        Plan.Member(
            instance: name, environment: environment, target: nil, wayBack: .archive, state: .running,
            systemIdentifier: nil, timeline: 1, mode: .delta, sessions: [],
            estimate: Plan.Estimate(duration: .seconds(name.count), basis: ""), checks: [], backup: nil, scratch: nil,
            undo: nil, repository: "local")
    }

    private func application(
        _ name: String, _ environment: String, _ uses: [String], after: [String] = []
    ) -> Plan.ApplicationPlan {
        Plan.ApplicationPlan(
            name: name, cluster: environment, environment: environment, uses: uses, after: after,
            scale: ScaleObservation(desired: 1, running: 1, ready: 1), record: nil)
    }

    private func plan(
        _ members: [Plan.Member], _ applications: [Plan.ApplicationPlan], order: [String] = ["dev", "prod"],
        rollout: RolloutDeclaration = RolloutDeclaration(), set: String? = nil
    ) -> (stages: [Plan.Stage], steps: [StepPlan]) {
        let stages = StagePlanner(
            members: members, applications: applications, rollout: rollout, order: order, isSet: set != nil
        ).stages()
        return (
            stages,
            RestoreSteps.inPlace(members, applications, RestoreOptions(stages: order), stages: stages, set: set)
        )
    }

    private func phase(_ id: String, _ steps: [StepPlan]) throws -> Int {
        try #require(steps.first { $0.id == id }, "\(id)").phase
    }

    @Test func whatIsSharedIsRestoredOnceAndFirst() throws {
        let (stages, steps) = plan(
            [member("orders", "prod")],
            [application("web-dev", "dev", ["orders"]), application("web-prod", "prod", ["orders"])])
        #expect(stages.map(\.name) == ["dev", "prod"] && stages.map(\.instances) == [["orders"], []])
        #expect(steps.count { $0.kind == .restore } == 1)
        // All applications are down before it is stopped; prod comes back last.
        #expect(try phase("quiesce:web-prod", steps) < phase("stop:orders", steps))
        #expect(try phase("probe:web-dev", steps) < phase("resume:web-prod", steps))
        #expect(Set(steps.map(\.id)).count == steps.count)
    }

    @Test func whatIsSeparateFollowsStageByStage() throws {
        let rollout = RolloutDeclaration(stages: [
            .init(environment: "dev", soak: .seconds(60)), .init(environment: "prod", requiresApproval: true),
        ])
        let (stages, steps) = plan(
            [member("a", "dev"), member("bb", "prod"), member("ccc", "prod")],
            [application("web-dev", "dev", ["a"]), application("web-prod", "prod", ["bb"])], rollout: rollout)
        #expect(stages.map(\.instances) == [["a"], ["bb", "ccc"]])
        #expect(stages.map(\.estimate) == [.seconds(1), .seconds(3)])
        let order = try [
            "restore:a", "resume:web-dev", "probe:web-dev", "backup:a", "soak:dev", "approve:prod", "quiesce:web-prod",
            "restore:bb", "resume:web-prod", "conclude",
        ].map { try phase($0, steps) }
        #expect(order == order.sorted() && Set(order).count == order.count)
        #expect(steps.filter { $0.stage == nil }.map(\.kind) == [.announce, .conclude])
    }

    @Test func theMembersOfASetAreRestoredTogether() throws {
        let (stages, steps) = plan(
            [member("a", "dev"), member("b", "prod")],
            [application("web-dev", "dev", ["a"]), application("web-prod", "prod", ["b"])], set: "shop")
        #expect(stages.map(\.instances) == [["a", "b"], []])
        #expect(try phase("restore:a", steps) == phase("restore:b", steps))
        #expect(try phase("agree:shop", steps) < phase("promote:a", steps))
    }

    @Test func nobodyAskedForStages() {
        let (stages, steps) = plan(
            [member("a", "dev"), member("b", "prod")], [application("web-dev", "dev", ["a"])], order: [])
        #expect(stages.isEmpty && steps.allSatisfy { $0.stage == nil })
        let alone = plan([member("a", "dev")], [application("web-dev", "dev", ["a"])])
        #expect(alone.stages.isEmpty, "one environment, and nothing is asked of it")
    }

    @Test func applicationsComeBackAfterThoseThatTheyWaitFor() throws {
        let (_, steps) = plan(
            [member("a", "dev")],
            [
                application("api", "dev", ["a"], after: ["cache"]), application("cache", "dev", ["a"]),
                application("mail", "dev", ["a"], after: ["elsewhere"]),
                application("worker", "dev", ["a"], after: ["api"]),
            ])
        let back = try ["resume:cache", "resume:api", "resume:worker"].map { try phase($0, steps) }
        #expect(back == back.sorted() && Set(back).count == 3)
        #expect(try phase("probe:api", steps) < phase("resume:worker", steps))
        #expect(try phase("resume:mail", steps) == phase("resume:cache", steps))
        // Down in the other order: nobody loses what it needs while it is up.
        #expect(try phase("quiesce:worker", steps) < phase("quiesce:cache", steps))
    }
}

@Suite struct ApprovalTests {
    private static let run = RunRecord(
        id: "r-1", kind: "restore", title: "restore", state: .waiting, plan: "{}", planHash: "abc",
        startedBy: "ana@here", createdAt: Timestamp(microseconds: 0), updatedAt: Timestamp(microseconds: 0))

    private func approval(by: String = "bo@here", plan: String = "abc", approves: Bool = true) -> Approval {
        Approval(
            stage: "prod", isApproved: approves, by: by, at: Timestamp(microseconds: 0), reason: "well", planHash: plan)
    }

    private func judge(
        _ approval: Approval, byAnother: Bool = true, after: Duration = .seconds(10)
    ) -> Approval.Judgement {
        approval.judgement(
            for: Self.run, Plan.Stage.Approval(byAnother: byAnother, expires: .seconds(3600)),
            at: Timestamp(microseconds: 0) + after)
    }

    @Test func onlyWhatIsForThisPlanAndYoungAndByTheRightPersonCounts() {
        #expect(judge(approval()) == .counts)
        #expect(judge(approval(approves: false)) == .rejects)
        #expect(judge(approval(by: "ana@here"), byAnother: false) == .counts)
        for other in [
            judge(approval(by: "ana@here")), judge(approval(plan: "abd")), judge(approval(), after: .seconds(3601)),
        ] {
            guard case .doesNotCount = other else {
                Issue.record("\(other)")
                continue
            }
        }
    }
}
