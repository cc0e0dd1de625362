import FleetPluginAPI
import FleetStore

/// A run's steps and journal while one process carries it out; every write is fenced by its lease.
actor RunJournal {
    let run: String
    private let store: any StateStore
    private let observer: any RunObserver
    private let clock: @Sendable () -> Timestamp
    private var steps: [String: StepRecord]
    private var lastProgress: [String: Timestamp] = [:]
    private(set) var lease: Lease

    init(
        run: String, steps: [StepRecord], lease: Lease, store: any StateStore, observer: any RunObserver,
        clock: @escaping @Sendable () -> Timestamp
    ) {
        self.run = run
        self.store = store
        self.observer = observer
        self.clock = clock
        self.steps = Dictionary(uniqueKeysWithValues: steps.map { ($0.id, $0) })
        self.lease = lease
    }

    func state(of step: String) -> StepState {
        steps[step]?.state ?? .pending
    }

    func output(of step: String) -> JSONValue? {
        guard let record = steps[step], record.state == .done else { return nil }
        return record.output ?? .null
    }

    /// Returns how many times the step has been started now, and when for the first time.
    func started(_ id: String) async throws -> (attempt: Int, since: Timestamp) {
        try await change(id, "step.started") { step, now in
            step.state = .running
            step.attempts += 1
            step.startedAt = step.startedAt ?? now
            step.endedAt = nil
            step.error = nil
        }
        return (steps[id]?.attempts ?? 1, steps[id]?.startedAt ?? clock())
    }

    func done(_ id: String, output: JSONValue, alreadySo: Bool) async throws {
        try await change(id, alreadySo ? "step.observed" : "step.done") { step, now in
            step.state = .done
            step.endedAt = now
            step.output = output
            step.error = nil
        }
    }

    func failed(_ id: String, _ error: FleetError) async throws {
        try await change(id, "step.failed") { step, now in
            step.state = .failed
            step.endedAt = now
            step.error = error
        }
    }

    func note(_ step: String?, _ message: String) async {
        await observer.noted(step: step, message)
        // A remark that cannot be kept must not fail the work it is about; the step's own record will say so.
        _ = try? await store.appendEvent(run: run, step: step, kind: "note", message: message, lease: lease)
    }

    func renew(for duration: Duration) async throws {
        lease = try await store.renew(lease, duration: duration, now: clock())
    }

    /// Tells the observer at once, and those who watch from elsewhere once a second.
    func progress(_ step: String, _ progress: TaskProgress) async {
        await observer.progressed(step: step, progress)
        let now = clock()
        guard lastProgress[step].map({ now - $0 >= .seconds(1) }) ?? true else { return }
        lastProgress[step] = now
        guard let value = try? CanonicalJSON.value(progress) else { return }
        try? await store.setAttribute(run: run, key: RunRecord.progressKey(step), value: value, lease: lease)
    }

    /// Whether the run waits for people now.
    func wait(_ isWaiting: Bool) async throws {
        try await store.updateRun(run, state: isWaiting ? .waiting : .running, error: nil, endedAt: nil, lease: lease)
    }

    /// Writes down how the run stands now; an ended run gives its instances back.
    func end(_ state: RunState, error: FleetError?) async throws {
        let ended = state.isEnded ? clock() : nil
        try await store.updateRun(run, state: state, error: error, endedAt: ended, lease: lease)
        try await store.appendEvent(
            run: run, kind: "run.\(state.rawValue)", message: error?.description ?? state.rawValue, lease: lease)
        if state.isEnded { try await store.release(lease) }
    }

    func pendingControl() async throws -> PendingControl? {
        try await store.pendingControl(run: run)
    }

    func clear(_ request: ControlRequest) async throws {
        try await store.clearControl(run: run, request)
    }

    private func change(_ id: String, _ kind: String, _ edit: (inout StepRecord, Timestamp) -> Void) async throws {
        guard var step = steps[id] else {
            throw JournalFailure(error: FleetError(.corrupted, "the journal of run \(run) has no step \(id)"))
        }
        edit(&step, clock())
        let message = step.error.map { "\(step.title): \($0)" } ?? step.title
        do {
            try await store.updateStep(step, event: EventDraft(kind: kind, message: message), lease: lease)
        } catch {
            throw JournalFailure(error: error)
        }
        steps[id] = step
        await observer.stepChanged(step)
    }
}

/// The journal could not be written: whatever the step did, the run must not go on.
struct JournalFailure: Error {
    var error: any Error
}
