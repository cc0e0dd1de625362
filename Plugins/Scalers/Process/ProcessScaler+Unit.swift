import DurableFiles
import FleetPluginAPI
import ProcessRunner

/// An application that systemd runs: one copy or none.
extension ProcessScaler {
    func observeUnit(_ unit: String) async throws -> ScaleObservation {
        let state = try await self.state(of: unit)
        let triggers = state.triggers.map { "\($0) may start it again" }
        return ScaleObservation(
            desired: state.isActive ? 1 : 0, running: state.isGone ? 0 : 1, ready: state.isReady ? 1 : 0,
            record: try await disk.run { try folder.record }, remarks: triggers)
    }

    func unitRecord(_ unit: String, _ run: String) async throws -> QuiesceRecord {
        let state = try await self.state(of: unit)
        return QuiesceRecord(
            run: run, original: state.isActive ? 1 : 0,
            details: ["unit": .string(unit), "enabled": .string(state.enablement)])
    }

    func setUnit(_ unit: String, _ count: Int) async throws {
        guard count <= 1 else {
            throw FleetError(.unsupported, "the unit \(unit) runs once or not at all, not \(count) times")
        }
        try await (count == 1 ? Systemd.start(unit) : Systemd.stop(unit)).checked()
    }

    func awaitUnitGone(_ unit: String, _ deadline: Duration) async throws {
        let end = ContinuousClock.now + deadline
        while true {
            let state = try await self.state(of: unit)
            if state.isGone { return }
            guard ContinuousClock.now < end else {
                throw FleetError(
                    .timedOut, "the unit \(unit) of \(application) is not gone after \(DurationText.text(deadline))",
                    cause:
                        "systemd says \(state.values["ActiveState"] ?? "nothing"), \(state.values["SubState"] ?? "")",
                    hint: state.triggers.first.map { "\($0) may have started it again" })
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func state(of unit: String) async throws -> UnitState {
        let state = UnitState(parsing: try await Systemd.show(unit).checked().outputText)
        guard state.exists else {
            throw FleetError(.notFound, "systemd knows no unit \(unit), which is to be \(application)")
        }
        return state
    }
}
