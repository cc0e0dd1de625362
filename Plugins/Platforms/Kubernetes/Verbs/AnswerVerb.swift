import FleetPluginAPI
import FoundationEssentials
import ProcessRunner

/// `fleet agent pod-answer MILLISECONDS BYTES -- PROGRAM ARGUMENTS…`: runs a short command within a task's container and
/// says what it said as a line of JSON, since a pod's log holds text only.
enum AnswerVerb {
    static let name = "pod-answer"
    static let verb = InternalVerb(name: name) { arguments in
        guard arguments.count > 3, let milliseconds = Int64(arguments[0]), let limit = Int(arguments[1]),
            arguments[2] == "--"
        else {
            VerbOutput.complain("usage: fleet agent pod-answer MILLISECONDS BYTES -- PROGRAM ARGUMENTS…")
            return ExitStatus.usage.rawValue
        }
        let command = Command(
            Array(arguments.dropFirst(3)), environment: .inherited, workingDirectory: "/",
            deadline: .milliseconds(milliseconds))
        return await VerbOutput.reporting("answer") {
            VerbOutput.say(try await PodAnswer.of(command, limit: limit).line)
        }
    }

    static func argv(_ query: PlaceQuery) -> [String] {
        let parts = query.deadline.components
        let milliseconds = max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
        return [AgentPlace.executable, "agent", name, "\(milliseconds)", "\(query.outputLimit)", "--"] + query.argv
    }
}

/// What a command said, or why it could not.
struct PodAnswer: Hashable, Sendable, Codable {
    var exitStatus: Int32 = 0
    var output = Data()
    var errors = ""
    var failure: FleetError?

    static func of(_ command: Command, limit: Int) async throws -> PodAnswer {
        do {
            let result = try await command.run(outputLimit: limit)
            guard !result.isOutputCut else {
                throw FleetError(.exhausted, "\(command.name) said more than \(limit) bytes")
            }
            return PodAnswer(
                exitStatus: result.status.shellCode, output: Data(result.output), errors: result.errorText)
        } catch let error as FleetError {
            return PodAnswer(failure: error)
        }
    }

    var line: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }

    init(exitStatus: Int32 = 0, output: Data = Data(), errors: String = "", failure: FleetError? = nil) {
        self.exitStatus = exitStatus
        self.output = output
        self.errors = errors
        self.failure = failure
    }

    /// - Throws: `protocolViolation`.
    init(line: String) throws {
        do {
            self = try JSONDecoder().decode(PodAnswer.self, from: Data(line.utf8))
        } catch {
            // Not the decoder's own words: they may quote what it read.
            throw FleetError(
                .protocolViolation, "what was said beside the data is not understood",
                hint: "agentImage must hold the same version of fleet as the coordinator")
        }
    }
}
