import FleetConfig
import FleetPluginAPI
import FleetStore

/// A stage has stayed well for as long as was asked.
///
/// What fails is looked at once more before it counts. What is inconclusive stops the clock: it waits and never passes.
/// After a crash the time begins anew, as nobody has looked meanwhile.
struct Soak: StepPerformer {
    private static let shortest = Duration.seconds(1)
    private static let longest = Duration.seconds(15)

    func perform(_ context: StepContext) async throws -> JSONValue {
        guard let stage = context.plan.stage(context.step.subject), let soak = stage.soak else {
            throw FleetError(.drifted, "the plan has no stage \(context.step.subject)")
        }
        let probing = StageProbing(context: context, stage: stage)
        let pause = min(Self.longest, max(Self.shortest, soak.duration / 20))
        let clock = ContinuousClock()
        let began = clock.now
        var last = clock.now
        var well = Duration.zero
        var rounds = 0
        var suspects: Set<String> = []
        var doubts: Set<String> = []
        while true {
            let answers = try await probing.judge()
            rounds += 1
            let unwell = answers.filter(\.isFailing)
            try judge(unwell, suspects, stage)
            suspects = Set(unwell.map(\.subject))
            let unknown = answers.filter(\.isInconclusive)
            for answer in unknown where doubts.insert(answer.text).inserted {
                await context.note("waiting: \(answer.text)")
            }
            let now = clock.now
            // The first look says nothing of the time before it.
            if rounds > 1, unknown.isEmpty, unwell.count <= stage.maxFailures { well += now - last }
            last = now
            if well >= soak.duration, unknown.isEmpty, unwell.count <= stage.maxFailures {
                return [
                    "rounds": .integer(Int64(rounds)), "seconds": .number(well.seconds),
                    "answers": .array(answers.map { .string($0.text) }),
                ]
            }
            if let deadline = soak.deadline, now - began > deadline {
                throw FleetError(
                    .timedOut,
                    "\(stage.name) has not been well for \(DurationText.text(soak.duration)) within "
                        + DurationText.text(deadline), cause: (unknown + unwell).map(\.text).joined(separator: "; "),
                    hint: Self.hint(context))
            }
            await context.progress(
                TaskProgress(
                    phase: "well for \(DurationText.text(.seconds(well.seconds.rounded(.down)))) of "
                        + DurationText.text(soak.duration), bytesDone: 0, bytesTotal: nil))
            try await context.pause(for: min(pause, max(.milliseconds(100), soak.duration - well)))
        }
    }

    /// - Throws: `checkFailed` where more is unwell than the stage allows, for the second time.
    private func judge(
        _ unwell: [StageProbing.Answer], _ suspects: Set<String>, _ stage: Plan.Stage
    ) throws {
        let again = unwell.filter { suspects.contains($0.subject) }
        guard again.count > stage.maxFailures else { return }
        throw FleetError(
            .checkFailed, "\(stage.name) is not well", cause: again.map(\.text).joined(separator: "; "),
            hint: "later stages are untouched; when it is well: fleet runs resume; to turn back: fleet runs abort")
    }

    private static func hint(_ context: StepContext) -> String {
        "look at what is waited for, then: fleet runs resume \(context.run), or fleet runs abort \(context.run)"
    }
}

/// Asks everything that belongs to a stage whether it is well.
struct StageProbing: Sendable {
    let context: StepContext
    let stage: Plan.Stage

    struct Answer: Sendable {
        /// The application or instance.
        var subject: String
        var verdict: ProbeVerdict
        var text: String { "\(subject): \(verdict.reason)" }

        var isFailing: Bool {
            if case .fail = verdict { return true }
            return false
        }

        var isInconclusive: Bool {
            if case .inconclusive = verdict { return true }
            return false
        }
    }

    /// One answer for each application, instance with checks, and probe of the stage: the worst that it gave.
    func judge() async throws -> [Answer] {
        let inventory = context.inventory
        return try await withThrowingTaskGroup(of: Answer.self) { group in
            for name in stage.applications {
                let probes = try inventory.probes(of: name)
                group.addTask {
                    let uses = context.plan.application(name)?.uses ?? []
                    return Answer(subject: name, verdict: try await worst(probes, uses))
                }
            }
            let own = try inventory.probes(ofStage: stage.name)
            for (index, probe) in own.enumerated() {
                group.addTask {
                    Answer(
                        subject: "\(stage.name), probe \(index + 1)",
                        verdict: try await worst([probe], context.plan.members.map(\.instance)))
                }
            }
            for member in context.plan.members where stage.instances.contains(member.instance) {
                guard !member.checks.isEmpty else { continue }
                group.addTask { Answer(subject: member.instance, verdict: await checked(member)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.subject < $1.subject }
        }
    }

    private func worst(_ probes: [any Probe], _ uses: [String]) async throws -> ProbeVerdict {
        let probing = try await context.probing(uses)
        var doubt: ProbeVerdict?
        var passed: [String] = []
        for probe in probes {
            switch await probe.judge(probing) {
            case .fail(let reason): return .fail(reason)
            case .inconclusive(let reason): doubt = .inconclusive(reason)
            case .pass(let reason): passed.append(reason)
            }
        }
        return doubt ?? .pass(passed.isEmpty ? "nothing is asked of it" : passed.joined(separator: ", "))
    }

    private func checked(_ member: Plan.Member) async -> ProbeVerdict {
        do {
            let endpoint = try await context.endpoint(of: member.instance)
            for check in member.checks {
                let result = try await context.servers.check(check, at: endpoint, deadline: .seconds(60))
                if !result.passed { return .fail("\(check.name): \(result.reason ?? result.value ?? "failed")") }
            }
            return .pass("\(member.checks.count) checks passed")
        } catch {
            return .inconclusive("\(error)")
        }
    }
}

/// Somebody has approved the stage.
struct Approve: StepPerformer {
    func perform(_ context: StepContext) async throws -> JSONValue {
        let name = context.step.subject
        guard let gate = context.plan.stage(name)?.approval else {
            throw FleetError(.drifted, "the plan has no stage \(name) that waits for an approval")
        }
        var isTold = false
        var ignored: String?
        while true {
            guard let run = try await context.store.run(context.run) else {
                throw FleetError(.notFound, "there is no run \(context.run)")
            }
            if let approval = try run.approval(of: name) {
                switch approval.judgement(for: run, gate, at: context.clock()) {
                case .counts:
                    if isTold { try await context.becomeWaiting(false) }
                    return try CanonicalJSON.value(approval)
                case .rejects:
                    throw FleetError(
                        .refused, "\(approval.by) rejected the stage \(name)", cause: approval.reason,
                        hint: "put back what was done with: fleet runs abort \(context.run)")
                case .doesNotCount(let why) where why != ignored:
                    ignored = why
                    await context.note("the approval by \(approval.by) does not count: \(why)")
                case .doesNotCount: break
                }
            }
            if let deadline = gate.deadline, context.clock() > context.startedAt + deadline {
                throw FleetError(
                    .timedOut, "nobody approved the stage \(name) within \(DurationText.text(deadline))",
                    hint: "later stages are untouched; turn back with: fleet runs abort \(context.run), and plan again")
            }
            if !isTold {
                isTold = true
                await tell(context, name, gate)
                try await context.becomeWaiting(true)
                guard context.waitsForPeople else { throw WaitsForPeople() }
            }
            try await context.pause(for: .milliseconds(500))
        }
    }

    private func tell(_ context: StepContext, _ stage: String, _ gate: Plan.Stage.Approval) async {
        let command = "fleet runs approve \(context.run) --stage \(stage) --reason …"
        let who = gate.byAnother ? "somebody else than who started the run" : "somebody"
        await context.note("waiting until \(who) approves \(stage): \(command)")
        let done = context.plan.stages.prefix { $0.name != stage }.map(\.name)
        let evidence = done.isEmpty ? "nothing was done yet" : "\(done.joined(separator: ", ")) came back well"
        let notice = Notice(
            event: .approvalNeeded, time: context.clock(), run: context.run,
            title: "\(context.plan.title): \(stage) waits for an approval",
            text: "\(evidence). Look with: fleet runs show \(context.run). Approve with: \(command). "
                + "Turn back with: fleet runs abort \(context.run)",
            details: ["stage": .string(stage)])
        for (name, error) in await Notification(inventory: context.inventory).send(notice) {
            await context.note("the notifier \(name) failed: \(error)")
        }
    }
}

extension StepContext {
    /// Waits a little, and no longer than others want the run to go on.
    ///
    /// - Throws: `AskedToStop` when somebody asked for an end meanwhile; `CancellationError`.
    func pause(for duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while true {
            if try await store.pendingControl(run: run) != nil { throw AskedToStop() }
            let left = end - ContinuousClock.now
            guard left > .zero else { return }
            try await Task.sleep(for: min(left, .seconds(1)))
        }
    }

    /// What probes are told of the instances that they may ask.
    func probing(_ instances: [String]) async throws -> ProbeContext {
        var endpoints: [String: Endpoint] = [:]
        for name in instances { endpoints[name] = try await endpoint(of: name) }
        return ProbeContext(endpoints: endpoints, servers: servers, deadline: .seconds(10))
    }
}
