import FleetPluginAPI
import FleetStore
import Glibc

/// A process for the store's tests to run beside others and to kill. One line on standard output per call that
/// returned.
@main
enum StateWriter {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            say("usage: StateWriter work|append|stall|audit PATH RUN")
            exit(2)
        }
        let store = try await SQLiteStore.open(path: arguments[2])
        switch arguments[1] {
        case "work": try await work(store, arguments[3])
        case "append": try await append(store, arguments[3])
        case "stall": try await stall(store, arguments[3])
        default:
            let entry = try await store.audit(actor: "writer", action: "open", subject: "state", details: nil)
            say("\(entry.sequence)")
        }
        try await store.close()
    }

    /// Carries the run out for ever: step 0 and an event, again and again.
    private static func work(_ store: SQLiteStore, _ run: String) async throws {
        let lease = try await acquire(store, run, for: .seconds(3600)) { _ in false }
        say("lease")
        var step = try await store.steps(of: run)[0]
        while true {
            step.attempts += 1
            step.state = .running
            let event = try await store.updateStep(
                step, event: EventDraft(kind: "tick", message: "attempt \(step.attempts)"), lease: lease)
            say("\(event.sequence)")
        }
    }

    private static func append(_ store: SQLiteStore, _ run: String) async throws {
        for number in 1...50 {
            let event = try await store.appendEvent(
                run: run, kind: "append", message: "\(getpid()) \(number)", lease: nil)
            say("\(event.sequence)")
        }
    }

    /// Stays inside a transaction that has already given the run's own, expired lease away.
    private static func stall(_ store: SQLiteStore, _ run: String) async throws {
        _ = try await acquire(store, run, for: .seconds(60)) { _ in
            say("inside")
            while true { pause() }
        }
    }

    private static func acquire(
        _ store: SQLiteStore, _ run: String, for duration: Duration,
        isOwnerDead: @escaping @Sendable (LeaseOwner) -> Bool
    ) async throws -> Lease {
        try await store.acquire(
            run: run, resources: ["instance/orders"],
            owner: LeaseOwner(host: "here", bootID: "boot", pid: getpid(), startTicks: 1), duration: duration,
            now: now(), isOwnerDead: isOwnerDead)
    }

    private static func now() -> Timestamp {
        Timestamp(microseconds: Int64(time(nil)) * 1_000_000)
    }

    private static func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(1, bytes, bytes.count)
    }
}
