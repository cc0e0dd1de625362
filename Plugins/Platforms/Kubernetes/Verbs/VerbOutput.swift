import FleetPluginAPI
import Glibc

/// What the verbs of this plugin say.
enum VerbOutput {
    static func say(_ line: String) { put(line, 1) }
    static func complain(_ line: String) { put(line, 2) }

    /// A line at once: several writers do not mix within one.
    private static func put(_ line: String, _ descriptor: Int32) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                guard errno == EINTR else { return }
                continue
            }
            bytes = bytes.dropFirst(written)
        }
    }

    /// Does the work; returns the exit status of the process.
    static func reporting(_ activity: String, _ work: () async throws -> Void) async -> Int32 {
        do {
            try await work()
            return ExitStatus.done.rawValue
        } catch {
            let failure = FleetError(error, "cannot \(activity)")
            complain("fleet: \(failure)")
            return failure.code.exitStatus.rawValue
        }
    }
}
