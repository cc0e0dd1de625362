import FoundationEssentials
import Glibc
import Synchronization

/// The directory that holds everything one run of the tests writes, removed when the process exits.
///
/// It lies under `/var/tmp` with a short path (a Unix socket's name has 107 bytes) and can be traversed by the user
/// `postgres`. A run that was killed leaves it behind unlocked; the next run removes it.
enum RunDirectory {
    static let path: String = make()
    private static let counter = Atomic<Int>(0)

    /// A fresh path in the run's directory; nothing is created there.
    static func freshPath(_ stem: String = "s") -> String {
        "\(path)/\(stem)\(counter.add(1, ordering: .relaxed).newValue)"
    }

    private static let parent = "/var/tmp"
    private static let prefix = "fleet-tests-"

    private static func make() -> String {
        sweep()
        let path = "\(parent)/\(prefix)\(getpid())-\(String(UInt16.random(in: .min ... .max), radix: 36))"
        guard mkdir(path, 0o755) == 0, chmod(path, 0o755) == 0 else { fatalError("cannot create \(path)") }
        let lock = open("\(path)/.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        // Held until the process ends: an unlocked directory belongs to nobody.
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else { fatalError("cannot lock \(path)") }
        atexit { RunDirectory.remove(RunDirectory.path) }
        return path
    }

    private static func sweep() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            let path = "\(parent)/\(name)"
            let lock = open("\(path)/.lock", O_RDWR | O_CLOEXEC)
            guard lock >= 0 else { continue }
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { remove(path) }
            close(lock)
        }
    }

    private static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
