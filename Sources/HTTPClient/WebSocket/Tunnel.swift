import FleetPluginAPI
import Synchronization

/// A connection whose bytes are the caller's own, after libcurl has made it (names, proxies, TLS): what the caller's
/// tasks and libcurl's thread know of it together.
final class Tunnel: Sendable {
    /// What says where to and as whom; it is never sent by libcurl.
    let transfer: Transfer
    private let loop: CurlLoop
    private let state = Mutex(State())

    /// Bytes that may wait for the reader, and for the server.
    static let window = 256 << 10

    private struct State {
        var isOpen = false
        var opener: CheckedContinuation<Void, any Error>?
        var pieces: [[UInt8]] = []
        var waitingBytes = 0
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var output: [UInt8] = []
        var outputOffset = 0
        var writers: [CheckedContinuation<Void, any Error>] = []
        /// Everything that waits is sent before the end.
        var isFinishing = false
        var end: Result<Void, any Error>?
        /// The server takes nothing more.
        var sendFailure: FleetError?

        var waitingOutput: Int { output.count - outputOffset }
    }

    init(_ transfer: Transfer, _ loop: CurlLoop) {
        self.transfer = transfer
        self.loop = loop
    }

    /// Connects.
    func open() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let end = state.withLock { state in
                    if state.end == nil { state.opener = continuation }
                    return state.end
                }
                if let end {
                    continuation.resume(with: end.flatMap { .failure(CancellationError()) })
                } else {
                    loop.submit(.open(self))
                }
            }
        } onCancel: {
            close()
        }
    }

    /// The next bytes; nil at the end. For one reader at a time.
    func read() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state -> (Result<[UInt8]?, any Error>, wasFull: Bool)? in
                    if !state.pieces.isEmpty {
                        let wasFull = state.waitingBytes >= Self.window
                        let piece = state.pieces.removeFirst()
                        state.waitingBytes -= piece.count
                        return (.success(piece), wasFull && state.waitingBytes < Self.window)
                    }
                    if let end = state.end { return (end.map { nil }, false) }
                    precondition(state.reader == nil, "a connection has one reader")
                    state.reader = continuation
                    return nil
                }
                guard let (result, wasFull) = answer else { return }
                if wasFull { loop.submit(.serve(self)) }
                continuation.resume(with: result)
            }
        } onCancel: {
            close()
        }
    }

    /// Takes bytes to send and returns when there is room for more.
    func write(_ bytes: [UInt8]) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state -> Result<Void, any Error>? in
                    if let end = state.end { return end.flatMap { .failure(Self.ended(self)) } }
                    if let failure = state.sendFailure { return .failure(failure) }
                    state.output.removeFirst(state.outputOffset)
                    state.outputOffset = 0
                    state.output += bytes
                    if state.output.count < Self.window { return .success(()) }
                    state.writers.append(continuation)
                    return nil
                }
                loop.submit(.serve(self))
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            close()
        }
    }

    /// Sends what waits, then `last`, and ends the connection. Waits for nothing: the server may no longer listen.
    func finish(_ last: [UInt8] = []) {
        state.withLock { state in
            if state.sendFailure == nil, !state.isFinishing { state.output += last }
            state.isFinishing = true
        }
        loop.submit(.serve(self))
    }

    /// Ends the connection now.
    func close() {
        guard state.withLock({ $0.end == nil }) else { return }
        loop.submit(.close(self))
    }

    private static func ended(_ tunnel: Tunnel) -> FleetError {
        FleetError(.unavailable, "\(tunnel.transfer.request): the server has ended the connection")
    }
}

// Called by libcurl's thread.
extension Tunnel {
    func noteOpen() {
        let opener = state.withLock { state in
            state.isOpen = true
            defer { state.opener = nil }
            return state.opener
        }
        opener?.resume()
    }

    var hasRoom: Bool { state.withLock { $0.waitingBytes < Self.window } }

    /// Whether there is nothing left to do.
    var isFinished: Bool { state.withLock { $0.isFinishing && $0.waitingOutput == 0 } }

    func deliver(_ bytes: [UInt8]) {
        let reader = state.withLock { state -> CheckedContinuation<[UInt8]?, any Error>? in
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.pieces.append(bytes)
            state.waitingBytes += bytes.count
            return nil
        }
        reader?.resume(returning: bytes)
    }

    /// Moves up to `count` bytes that wait to be sent out of here.
    func take(_ count: Int) -> ArraySlice<UInt8> {
        let (bytes, writers) = state.withLock { state -> (ArraySlice<UInt8>, [CheckedContinuation<Void, any Error>]) in
            let bytes = state.output[state.outputOffset...].prefix(count)
            state.outputOffset += bytes.count
            guard state.waitingOutput < Self.window / 2 else { return (bytes, []) }
            defer { state.writers = [] }
            return (bytes, state.writers)
        }
        for writer in writers { writer.resume() }
        return bytes
    }

    /// Nothing can be sent any more; what waits to be read stays.
    func noteSendFailure(_ error: FleetError) {
        let writers = state.withLock { state in
            state.sendFailure = error
            (state.output, state.outputOffset) = ([], 0)
            defer { state.writers = [] }
            return state.writers
        }
        for writer in writers { writer.resume(throwing: error) }
    }

    /// The connection is over; once.
    func end(_ result: Result<Void, any Error>) {
        let old = state.withLock { state -> State? in
            guard state.end == nil else { return nil }
            state.end = result
            defer { (state.opener, state.reader, state.writers) = (nil, nil, []) }
            return state
        }
        guard let old else { return }
        let failed = result.flatMap { Result<Void, any Error>.failure(Self.ended(self)) }
        old.opener?.resume(with: failed)
        old.reader?.resume(with: result.map { nil })
        for writer in old.writers { writer.resume(with: failed) }
    }
}
