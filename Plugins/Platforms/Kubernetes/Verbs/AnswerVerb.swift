import FleetPluginAPI
import ProcessRunner

/// `fleet agent pod-answer --deadline MILLISECONDS --limit BYTES -- PROGRAM ARGUMENTS…`: runs a program and says its output
/// in lines that a pod's log can hold whatever its bytes are (see `AnswerText`); what it wrote to stderr as it is.
enum AnswerVerb {
    static let name = "pod-answer"
    static let verb = InternalVerb(name: name) { arguments in
        guard let call = AnswerCall(arguments) else {
            VerbOutput.complain("usage: fleet agent pod-answer --deadline MILLISECONDS --limit BYTES -- PROGRAM …")
            return ExitStatus.usage.rawValue
        }
        let command = Command(
            call.argv, environment: .inherited, workingDirectory: "/", deadline: call.deadline, grace: .seconds(2))
        do {
            let result = try await command.run(outputLimit: call.limit)
            for line in result.errorText.split(separator: "\n") { VerbOutput.complain(String(line)) }
            let end = result.isOutputCut ? AnswerText.End.tooLong : .status(result.status.shellCode)
            for line in try AnswerText.lines(result.isOutputCut ? [] : result.output, end) { VerbOutput.say(line) }
            return 0
        } catch {
            let failure = FleetError(error, "cannot run \(call.argv.first ?? "nothing")")
            VerbOutput.complain("fleet: \(failure)")
            let end = failure.code == .timedOut ? "\(AnswerText.End.late)" : "\(AnswerText.End.status(127))"
            VerbOutput.say(end)
            return 0
        }
    }
}

/// The arguments of `pod-answer`.
struct AnswerCall: Hashable, Sendable {
    var deadline: Duration
    var limit: Int
    var argv: [String]

    init(deadline: Duration, limit: Int, argv: [String]) {
        self.deadline = deadline
        self.limit = limit
        self.argv = argv
    }

    init?(_ arguments: [String]) {
        guard arguments.count > 5, arguments[0] == "--deadline", let milliseconds = Int64(arguments[1]),
            milliseconds > 0, arguments[2] == "--limit", let limit = Int(arguments[3]), limit >= 0,
            arguments[4] == "--"
        else { return nil }
        self.init(deadline: .milliseconds(milliseconds), limit: limit, argv: Array(arguments[5...]))
    }

    var command: [String] {
        let parts = deadline.components
        let milliseconds = max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
        return [
            AgentPlace.executable, "agent", AnswerVerb.name, "--deadline", "\(milliseconds)", "--limit", "\(limit)",
            "--",
        ] + argv
    }
}
