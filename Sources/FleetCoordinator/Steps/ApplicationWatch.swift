import FleetPluginAPI

/// Sees that the applications a run has taken down stay down until it brings them back: somebody may scale one up by
/// hand, and an autoscaler, a controller or a timer may do so by itself.
struct ApplicationWatch: Sendable {
    let context: StepContext

    static let pause: Duration = .seconds(5)

    static let patience: Duration = .seconds(60)

    /// - Throws: `refused` that names what is up again; whatever keeps one from being looked at: unknown is not down.
    func demandDown() async throws {
        // What somebody has taken down again may still be on its way out.
        for (name, scale) in try await observations() where scale.desired == 0 && scale.running > 0 {
            try await context.inventory.scaler(of: name).awaitGone(deadline: Self.patience)
        }
        let up = try await observations().compactMap { name, scale in sentence(name, scale) }.sorted()
        guard up.isEmpty else {
            throw FleetError(
                .refused, "an application that run \(context.run) has taken down is up again",
                cause: up.joined(separator: "; "),
                hint: "see who scales it and take it to zero, then: fleet runs resume \(context.run)")
        }
    }

    /// Does the work and meanwhile notes each application that comes up, once each time it does.
    func during<Result: Sendable>(
        _ work: @Sendable @escaping () async throws -> Result
    ) async throws -> Result {
        guard !concerned.isEmpty else { return try await work() }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await noteChanges()
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// Ends when the task is cancelled.
    private func noteChanges() async {
        var known: Set<String> = []
        while !Task.isCancelled {
            // One that cannot be looked at now is looked at again, and for certain before anything is promoted.
            if let scales = try? await observations() {
                let up = scales.compactMap { name, scale in sentence(name, scale) }
                for news in Set(up).subtracting(known).sorted() { await context.note(news) }
                known = Set(up)
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Those that use the instance that the step works on: others may belong to another stage.
    private var concerned: [Plan.ApplicationPlan] {
        context.plan.applications.filter { $0.uses.contains(context.step.subject) }
    }

    private func observations() async throws -> [String: ScaleObservation] {
        let inventory = context.inventory
        return try await withThrowingTaskGroup(of: (String, ScaleObservation).self) { group in
            for application in concerned {
                group.addTask { (application.name, try await inventory.scaler(of: application.name).observe()) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// Nil when it is down.
    private func sentence(_ name: String, _ scale: ScaleObservation) -> String? {
        guard scale.desired > 0 || scale.running > 0 else { return nil }
        return "\(name) was brought up by somebody else: \(scale.running) running, \(scale.desired) wanted"
    }
}
