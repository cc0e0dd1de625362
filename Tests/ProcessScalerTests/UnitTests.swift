import ProcessRunner
import Testing

@testable import ProcessScaler

/// systemd's side, where no systemd runs: what is asked of it, and what its answers mean.
@Suite struct UnitTests {
    @Test func asksSystemctl() {
        let start = ["systemctl", "--no-pager", "--no-ask-password"]
        #expect(Systemd.start("web.service").argv == start + ["start", "web.service"])
        #expect(Systemd.stop("web.service").argv == start + ["stop", "--no-block", "web.service"])
        #expect(Array(Systemd.show("web.service").argv.prefix(4)) == start + ["show"])
        #expect(Systemd.show("web.service").argv.last == "web.service")
    }

    private func state(_ active: String, _ sub: String, _ more: String = "") -> UnitState {
        UnitState(parsing: "LoadState=loaded\nActiveState=\(active)\nSubState=\(sub)\nUnitFileState=enabled\n\(more)")
    }

    @Test func readsItsAnswers() {
        let running = state("active", "running", "TasksCurrent=4\nTriggeredBy=web.socket web.timer\n")
        #expect(running.exists && running.isActive && running.isReady && !running.isGone)
        #expect(running.triggers == ["web.socket", "web.timer"] && running.enablement == "enabled")
        let stopping = state("deactivating", "stop-sigterm", "TasksCurrent=1\n")
        #expect(!stopping.isActive && !stopping.isReady && !stopping.isGone)
        // Processes that ignored the end of their unit.
        #expect(!state("inactive", "dead", "TasksCurrent=1\n").isGone)
        #expect(state("inactive", "dead", "TasksCurrent=[not set]\n").isGone)
        #expect(state("failed", "failed").isGone)
        #expect(state("activating", "start-pre").isActive && !state("activating", "start-pre").isReady)
        #expect(!UnitState(parsing: "LoadState=not-found\nActiveState=inactive\n").exists)
        #expect(!UnitState(parsing: "nonsense").exists)
    }
}
