import Synchronization

/// The beginning of one stream and the end of the other.
final class Captured: Sendable {
    private struct State {
        var output: [UInt8] = []
        var isCut = false
        var errors: [UInt8] = []
    }

    private let outputLimit: Int
    private let errorLimit: Int
    private let state = Mutex(State())

    init(outputLimit: Int, errorLimit: Int) {
        self.outputLimit = outputLimit
        self.errorLimit = errorLimit
    }

    func add(_ stream: OutputLine.Stream, _ bytes: [UInt8]) {
        state.withLock { state in
            switch stream {
            case .output:
                let room = outputLimit - state.output.count
                state.output += bytes.prefix(room)
                if bytes.count > room { state.isCut = true }
            case .errors:
                state.errors += bytes
                if state.errors.count > 2 * errorLimit { state.errors = Array(state.errors.suffix(errorLimit)) }
            }
        }
    }

    func result(_ status: ProcessStatus) -> ProcessResult {
        state.withLock { state in
            ProcessResult(
                status: status, output: state.output, isOutputCut: state.isCut,
                errors: Array(state.errors.suffix(errorLimit)))
        }
    }
}
