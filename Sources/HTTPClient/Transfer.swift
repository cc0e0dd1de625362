import FleetPluginAPI
import Synchronization

/// One request under way: what the reader's task, the feeder's task and libcurl's thread know of it together.
final class Transfer: Sendable {
    struct Head: Sendable {
        var status: Int
        var headers: HTTPHeaders
    }

    let request: HTTPRequest
    let options: HTTPSession.Options
    private let loop: CurlLoop
    let state = Mutex(State())

    /// Bytes that may wait for the reader, and for the server.
    static let window = 256 << 10
    static let headLimit = 256 << 10

    struct State {
        var headers = HTTPHeaders()
        var status = 0
        var headBytes = 0
        var head: Head?
        var headWaiter: CheckedContinuation<Head, any Error>?

        var pieces: [[UInt8]] = []
        var waitingBytes = 0
        var receivedBytes: Int64 = 0
        var isPaused = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?

        var upload: [UInt8] = []
        var uploadOffset = 0
        var uploadEnded = false
        var isUploadPaused = false
        var feeder: CheckedContinuation<Bool, Never>?
        var feedTask: Task<Void, Never>?

        /// What this program found wrong, which libcurl knows only as "a callback failed".
        var fault: (any Error)?
        var outcome: Result<Void, any Error>?
        /// Not a byte of the request reached the server.
        var isUnsent = false
    }

    init(_ request: HTTPRequest, _ options: HTTPSession.Options, _ loop: CurlLoop) {
        self.request = request
        self.options = options
        self.loop = loop
        if case .bytes(let bytes) = request.body {
            state.withLock { state in
                state.upload = bytes
                state.uploadEnded = true
            }
        }
    }

    /// Begins, and waits for the head of the answer.
    func start() async throws -> Head {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state in
                    if state.outcome == nil { state.headWaiter = continuation }
                    return state.outcome
                }
                switch outcome {
                case .failure(let error): continuation.resume(throwing: error)
                case .success: continuation.resume(throwing: CancellationError())
                case nil: loop.submit(.start(self))
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// The next piece of the body; nil at its end.
    func nextPiece() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enum Step { case give(Result<[UInt8]?, any Error>, unpause: Bool), wait }
                let step = state.withLock { state -> Step in
                    if !state.pieces.isEmpty {
                        let piece = state.pieces.removeFirst()
                        state.waitingBytes -= piece.count
                        let unpause = state.isPaused && state.waitingBytes <= Self.window / 2
                        if unpause { state.isPaused = false }
                        return .give(.success(piece), unpause: unpause)
                    }
                    if let outcome = state.outcome { return .give(outcome.map { nil }, unpause: false) }
                    precondition(state.reader == nil, "an HTTP body has one reader")
                    state.reader = continuation
                    return .wait
                }
                if case .give(let result, let unpause) = step {
                    if unpause { loop.submit(.unpause(self)) }
                    continuation.resume(with: result)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Ends the transfer; whoever waits for it gets `CancellationError`. Nothing happens when it has ended.
    func cancel() {
        guard state.withLock({ $0.outcome == nil }) else { return }
        loop.submit(.cancel(self))
    }

    /// Called by libcurl's thread, once, when the transfer is over.
    func finish(_ outcome: Result<Void, any Error>) {
        let waiting = state.withLock { state -> (State, Result<Void, any Error>)? in
            guard state.outcome == nil else { return nil }
            var final = outcome
            // What went wrong here says more than that libcurl was stopped by it.
            if case .failure = outcome, let fault = state.fault { final = .failure(fault) }
            state.outcome = final
            let waiters = state
            (state.headWaiter, state.reader, state.feeder, state.feedTask) = (nil, nil, nil, nil)
            return (waiters, final)
        }
        guard let (waiters, final) = waiting else { return }
        waiters.feedTask?.cancel()
        waiters.feeder?.resume(returning: false)
        switch final {
        case .success:
            // A server that ends the connection after its interim answers has not answered.
            waiters.headWaiter?.resume(throwing: FleetError(.unavailable, "\(request): the server did not answer"))
            waiters.reader?.resume(returning: nil)
        case .failure(let error):
            waiters.headWaiter?.resume(throwing: error)
            waiters.reader?.resume(throwing: error)
        }
    }

    /// Called by libcurl's thread before `finish`: the server knows nothing of this request.
    func noteUnsent() {
        state.withLock { $0.isUnsent = true }
    }

    var isUnsent: Bool { state.withLock { $0.isUnsent } }

    var isOver: Bool { state.withLock { $0.outcome != nil } }

    func unpause() {
        loop.submit(.unpause(self))
    }
}
