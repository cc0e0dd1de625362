import FleetPluginAPI

/// The application is gone, and what it was is recorded.
struct Quiesce: StepPerformer {
    static let patience: Duration = .seconds(300)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let application = try context.application()
        let scaler = try context.inventory.scaler(of: application.name)
        // An undo finds it down already, or half down, by the run that it undoes: that run's record is what will be
        // put back, and asking in its name finishes what it began.
        let record = try await scaler.quiesce(run: application.record?.run ?? context.run)
        try await scaler.awaitGone(deadline: Self.patience)
        return try CanonicalJSON.value(record)
    }
}

/// The application is back exactly as it was.
struct Resume: StepPerformer {
    static let patience: Duration = .seconds(300)
    static let shortPatience: Duration = .seconds(30)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let application = try context.application()
        let scaler = try context.inventory.scaler(of: application.name)
        let record = try await record(of: application, context)
        try await scaler.resume(record)
        guard application.scale.ready >= application.scale.desired else {
            return try await settleForWhatItWas(application, record, scaler, context)
        }
        try await scaler.awaitReady(record, deadline: Self.patience)
        return ["count": .integer(Int64(record.original))]
    }

    /// An application that was not ready before the run need not be ready after it; its probes judge it.
    private func settleForWhatItWas(
        _ application: Plan.ApplicationPlan, _ record: QuiesceRecord, _ scaler: any Scaler, _ context: StepContext
    ) async throws -> JSONValue {
        do {
            try await scaler.awaitReady(record, deadline: Self.shortPatience)
        } catch let error as FleetError where error.code == .timedOut || error.code == .failed {
            await context.note(
                "\(application.name) is not ready, as before the run, when \(application.scale.ready) of "
                    + "\(application.scale.desired) were: \(error.message)")
        }
        return ["count": .integer(Int64(record.original))]
    }

    private func record(of application: Plan.ApplicationPlan, _ context: StepContext) async throws -> QuiesceRecord {
        if let record = application.record { return record }
        guard let output = await context.output(StepPlan.id(.quiesce, application.name)) else {
            throw FleetError(
                .corrupted, "the journal of \(context.run) does not say what \(application.name) was before")
        }
        return try CanonicalJSON.decode(QuiesceRecord.self, from: output)
    }
}

/// The application is well, by every probe declared for it.
struct ProbeApplication: StepPerformer {
    static let patience: Duration = .seconds(120)

    func perform(_ context: StepContext) async throws -> JSONValue {
        let application = try context.application()
        let probes = try context.inventory.probes(of: application.name)
        let probing = try await context.probing(application.uses)
        var verdicts: [JSONValue] = []
        for probe in probes {
            verdicts.append(.string(try await untilPassing(probe, probing, application.name)))
        }
        return ["verdicts": .array(verdicts)]
    }

    /// Asks until the probe passes; an inconclusive answer waits like a failing one and never passes.
    private func untilPassing(_ probe: any Probe, _ context: ProbeContext, _ name: String) async throws -> String {
        let clock = ContinuousClock()
        let end = clock.now + Self.patience
        while true {
            let verdict = await probe.judge(context)
            if case .pass(let reason) = verdict { return reason }
            if clock.now >= end {
                throw FleetError(
                    .checkFailed, "\(name) is not well after \(DurationText.text(Self.patience))",
                    cause: "\(verdict.reason)",
                    hint: "look at the application's log; when it is well: fleet runs resume")
            }
            try await clock.sleep(for: .seconds(1))
        }
    }
}

extension ProbeVerdict {
    var reason: String {
        switch self {
        case .pass(let reason), .fail(let reason), .inconclusive(let reason): reason
        }
    }
}
