import FleetPluginAPI

/// Tells people that the run begins or has ended. A notifier that fails is noted and holds nothing up.
struct Announce: StepPerformer {
    let event: Notice.Event

    func perform(_ context: StepContext) async throws -> JSONValue {
        let subjects = context.plan.members.map(\.instance).joined(separator: ", ")
        let text =
            event == .runStarted
            ? "\(context.plan.title) has begun on \(subjects). Watch it with: fleet runs watch \(context.run)"
            : "\(context.plan.title) is done. What happened: fleet runs show \(context.run)"
        let notice = Notice(
            event: event, time: context.clock(), run: context.run, title: context.plan.title, text: text)
        let failed = await Notification(inventory: context.inventory).send(notice)
        for (name, error) in failed {
            await context.note("the notifier \(name) failed: \(error)")
        }
        return ["failed": .array(failed.map { .string($0.0) })]
    }
}

/// Sends a notice to every notifier of fleet.yaml at once.
struct Notification: Sendable {
    let inventory: Inventory

    /// Returns the notifiers that failed, and why.
    func send(_ notice: Notice) async -> [(String, FleetError)] {
        let notifiers: [(name: String, notifier: any Notifier)]
        do {
            notifiers = try inventory.notifiers()
        } catch {
            return [("(all)", FleetError(error, "notifiers"))]
        }
        return await withTaskGroup(of: (String, FleetError)?.self) { group in
            for (name, notifier) in notifiers {
                group.addTask {
                    do {
                        try await notifier.notify(notice)
                        return nil
                    } catch {
                        return (name, FleetError(error, "notifier \(name)"))
                    }
                }
            }
            return await group.reduce(into: []) { failed, result in
                if let result { failed.append(result) }
            }
        }
    }
}
