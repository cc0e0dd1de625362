import Compression
import FleetPluginAPI
import FoundationEssentials

/// The output of a program on its way through a pod's log: compressed (a kubelet keeps 10 MiB of a log), in lines of
/// base64, and a last line that says how the program ended. Without that line the answer is not whole.
enum AnswerText {
    enum End: Hashable, Sendable, CustomStringConvertible {
        /// As a shell counts.
        case status(Int32)
        case late, tooLong

        var description: String {
            switch self {
            case .status(let status): "end \(status)"
            case .late: "end late"
            case .tooLong: "end too-long"
            }
        }

        init?(_ line: String) {
            switch line {
            case "\(Self.late)": self = .late
            case "\(Self.tooLong)": self = .tooLong
            default:
                guard line.hasPrefix("end "), let status = Int32(line.dropFirst(4)) else { return nil }
                self = .status(status)
            }
        }
    }

    /// Bytes in a line; its base64 is within what `WrappedLine` takes in one piece.
    private static let width = 6000

    static func lines(_ output: [UInt8], _ end: End) throws -> [String] {
        var compressor = try ZstdCompressor(checksum: true)
        let packed = output.isEmpty ? [] : try compressor.compress(output)
        var lines: [String] = []
        for start in stride(from: 0, to: packed.count, by: width) {
            lines.append(Data(packed[start..<min(start + width, packed.count)]).base64EncodedString())
        }
        return lines + ["\(end)"]
    }

    /// Nil where it is not whole.
    static func read(_ lines: [String], limit: Int) -> (output: [UInt8], end: End)? {
        guard let last = lines.last, let end = End(last) else { return nil }
        var packed: [UInt8] = []
        for line in lines.dropLast() {
            guard let data = Data(base64Encoded: line) else { return nil }
            packed += data
        }
        guard !packed.isEmpty else { return ([], end) }
        do {
            var output: [UInt8] = []
            var stream = try ZstdDecompressionStream(limit: limit)
            try stream.write(packed) { piece in piece.withUnsafeBytes { output += $0 } }
            try stream.finish()
            return (output, end)
        } catch {
            return nil
        }
    }

    /// - Throws: as `Platform.query`.
    static func answer(
        _ lines: [String], _ errors: String, _ outcome: TaskOutcome, _ query: PlaceQuery, _ instance: String
    ) throws -> QueryAnswer {
        let program = query.argv.first ?? "nothing"
        let late = FleetError(
            .timedOut, "\(program) beside \(instance) did not end within \(DurationText.text(query.deadline))")
        guard let (output, end) = read(lines, limit: query.outputLimit) else {
            if outcome.exitStatus == PodTask.deadlineStatus { throw late }
            throw FleetError(
                .unavailable, "the answer of \(program) beside \(instance) is not whole",
                cause: errors.isEmpty ? "its Job ended with exit status \(outcome.exitStatus)" : errors)
        }
        switch end {
        case .status(let status): return QueryAnswer(exitStatus: status, output: output, errors: errors)
        case .late: throw late
        case .tooLong: throw tooLong(program, query.outputLimit, instance)
        }
    }

    static func tooLong(_ program: String, _ limit: Int, _ instance: String) -> FleetError {
        FleetError(.exhausted, "\(program) said more than \(limit) bytes beside \(instance)")
    }
}
