import FleetPluginAPI

/// What a task has said so far.
struct KeptTask: Hashable, Sendable {
    /// Whole lines of standard output.
    private(set) var output: [String] = []
    /// The end of standard error.
    private(set) var errors: [String] = []
    /// By pod: the number that its next line has.
    private(set) var next: [String: Int] = [:]
    private var begun: [WrappedLine.Stream: String] = [:]

    private static let errorLimit = 200

    /// A line of a pod's log; false where it is known already.
    mutating func add(_ line: WrappedLine, pod: String) -> Bool {
        let expected = next[pod] ?? 0
        guard line.number >= expected else { return false }
        if line.number > expected {
            // The container runtime threw the beginning of its log away before it was read.
            errors.append("fleet: \(line.number - expected) lines of the task were lost")
            begun = [:]
        }
        next[pod] = line.number + 1
        let text = (begun[line.stream] ?? "") + line.text
        begun[line.stream] = line.isCut ? text : nil
        guard !line.isCut else { return true }
        switch line.stream {
        case .output: output.append(text)
        case .errors:
            errors.append(text)
            if errors.count > 2 * Self.errorLimit { errors.removeFirst(errors.count - Self.errorLimit) }
        }
        return true
    }

    /// What no task wrote: a container runtime's own words.
    mutating func addForeign(_ line: String) {
        if errors.last != line { errors.append(line) }
    }

    var lastErrors: [String] { Array(errors.suffix(Self.errorLimit)) }
}
