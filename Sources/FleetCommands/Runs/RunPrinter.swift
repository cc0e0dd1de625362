import FleetCoordinator
import FleetPluginAPI
import FleetStore
import TerminalUI

/// Shows a run while it is carried out: finished steps stay, running ones are redrawn below them. Where there is no
/// terminal, a line for each step that is done, and for each that takes its time; with --verbose for each that begins.
actor RunPrinter: RunObserver {
    private struct Running {
        var title: String
        var since: ContinuousClock.Instant
        var progress: TaskProgress?
        var pace = ProgressPace()
        var isTold = false
        var toldAt: ContinuousClock.Instant
    }

    private let terminal: Terminal
    private let tellsBeginnings: Bool
    private let region: LiveRegion
    /// Of steps that belong to one.
    private let stages: [String: String]
    private var stage: String?
    private var order: [String] = []
    private var running: [String: Running] = [:]
    private var drawnAt = ContinuousClock.now
    private var ticker: Task<Void, Never>?

    /// A step that takes longer is announced where there is no terminal.
    private static let patience: Duration = .seconds(3)
    /// How often a line about progress is written where there is no terminal.
    private static let reportEvery: Duration = .seconds(10)
    private static let redrawEvery: Duration = .milliseconds(100)

    /// - Parameter plan: what is carried out; its stages are told as they come.
    init(_ console: Console, _ plan: Plan? = nil) {
        stages = Dictionary(
            uniqueKeysWithValues: (plan?.steps ?? []).compactMap { step in step.stage.map { (step.id, $0) } })
        terminal = console.error
        tellsBeginnings = console.isVerbose && !console.error.isTerminal
        region = LiveRegion(console.error)
    }

    /// Removes what is redrawn; what stays stays.
    func end() async {
        ticker?.cancel()
        ticker = nil
        running = [:]
        order = []
        await region.end()
    }

    func stepChanged(_ step: StepRecord) async {
        if let name = stages[step.id], name != stage, step.state != .pending {
            stage = name
            await add(StyledText(name, .accent))
        }
        switch step.state {
        case .running: await started(step)
        case .done: await finished(step, StyledText("✓ ", .good), StyledText(step.title))
        case .failed:
            await finished(step, StyledText("✗ ", .bad), StyledText(step.title, .bad))
            if let error = step.error { await add(Self.detail(error.message)) }
        case .skipped: await finished(step, StyledText("- ", .faint), StyledText(step.title, .faint))
        case .pending, .compensating, .compensated: break
        }
    }

    func progressed(step: String, _ progress: TaskProgress) async {
        let now = ContinuousClock.now
        if running[step] == nil {
            // Work that is no step of a run, such as a verification.
            running[step] = Running(title: progress.phase, since: now, progress: nil, toldAt: now)
            order.append(step)
        }
        running[step]?.progress = progress
        running[step]?.pace.add(progress, at: now)
        if terminal.isTerminal {
            if now - drawnAt > Self.redrawEvery { await redraw() }
        } else if let entry = running[step], now - entry.toldAt > Self.reportEvery {
            running[step]?.toldAt = now
            await add(StyledText("  \(entry.title): \(entry.pace.text(progress, at: now))", .faint))
        }
    }

    func noted(step: String?, _ message: String) async {
        await add(Self.detail(message))
    }

    /// A line that stays.
    func add(_ line: StyledText) async {
        await region.add([line])
    }

    private func started(_ step: StepRecord) async {
        let now = ContinuousClock.now
        if running[step.id] == nil { order.append(step.id) }
        running[step.id] = Running(
            title: step.title, since: now, progress: nil, isTold: tellsBeginnings, toldAt: now)
        if tellsBeginnings { await add(StyledText("› \(step.title)")) }
        tick()
        await redraw()
    }

    /// Keeps the clocks of running steps going.
    private func tick() {
        guard ticker == nil else { return }
        ticker = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                await self?.ticked()
            }
        }
    }

    private func ticked() async {
        guard !terminal.isTerminal else { return await redraw() }
        let now = ContinuousClock.now
        for id in order {
            guard let entry = running[id], !entry.isTold, now - entry.since > Self.patience else { continue }
            running[id]?.isTold = true
            await add(StyledText("› \(entry.title)"))
        }
    }

    private func finished(_ step: StepRecord, _ symbol: StyledText, _ title: StyledText) async {
        running[step.id] = nil
        order.removeAll { $0 == step.id }
        var line = symbol + title
        if let start = step.startedAt, let end = step.endedAt, end - start >= .seconds(1) {
            line += StyledText("  \(Ages.rough(end - start))", .faint)
        }
        drawnAt = .now
        await region.add([line], showing: liveLines())
    }

    private func redraw() async {
        drawnAt = .now
        await region.show(liveLines())
    }

    private func liveLines() -> [StyledText] {
        let columns = terminal.width ?? 80
        return order.compactMap { running[$0] }.flatMap { Self.live($0, columns) }
    }

    private static func live(_ entry: Running, _ columns: Int) -> [StyledText] {
        let now = ContinuousClock.now
        let elapsed = now - entry.since
        var lines = [
            StyledText("› ", .accent) + StyledText(entry.title)
                + StyledText(elapsed < .seconds(1) ? "" : "  \(Ages.rough(elapsed))", .faint)
        ]
        guard let progress = entry.progress else { return lines }
        let amount = entry.pace.text(progress, at: now)
        if let total = progress.bytesTotal, total > 1 {
            let bar = ProgressBar.text(Double(progress.bytesDone) / Double(total), columns: min(32, columns / 3))
            lines.append("    " + bar + StyledText("  \(amount)", .faint))
        } else {
            lines.append(StyledText("    \(amount)", .faint))
        }
        return lines
    }

    private static func detail(_ text: String) -> StyledText {
        StyledText("    \(text)", .faint)
    }
}
