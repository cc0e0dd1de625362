import FleetPluginAPI
import FoundationEssentials
import Glibc

/// Measures acts one after the other: time, requests, and the most memory that the process ever had.
struct Phases: Sendable {
    /// Files in which kubectl proxies write, among others, a line with the milliseconds of each request.
    let logs: [String]

    func measure(_ name: String, _ act: () async throws -> Void) async throws {
        let before = requests
        let begun = ContinuousClock.now
        try await act()
        let time = DurationText.text(ContinuousClock.now - begun)
        print(
            name.padded(to: 26) + time.padded(to: 12) + "\(requests - before) requests".padded(to: 18)
                + "\(peakMemory) MiB at most")
    }

    private var requests: Int {
        logs.reduce(0) { sum, log in
            guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return sum }
            return sum + text.split(separator: "\n").count { $0.hasSuffix(" milliseconds") }
        }
    }

    private var peakMemory: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss / 1024
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
