import CLibCurl
import FleetPluginAPI
import Synchronization

// How a body gets from whoever makes it to libcurl.
extension Transfer {
    /// Begins to ask for the pieces of a streamed body.
    func startFeeding() {
        guard case .stream(_, let next) = request.body else { return }
        let task = Task { [weak self] in
            do {
                while let piece = try await next() {
                    guard let self else { return }
                    guard try await self.push(piece) else { return }
                }
                self?.push(end: nil)
            } catch {
                self?.push(end: error)
            }
        }
        state.withLock { $0.feedTask = task }
    }

    /// Hands over a piece and waits until there is room for more; false when the transfer is over.
    private func push(_ piece: [UInt8]) async throws -> Bool {
        let unpause = state.withLock { state in
            state.upload.removeFirst(state.uploadOffset)
            state.uploadOffset = 0
            state.upload += piece
            defer { state.isUploadPaused = false }
            return state.isUploadPaused
        }
        if unpause { self.unpause() }
        return await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if state.outcome != nil { return false }
                if state.upload.count - state.uploadOffset < Self.window { return true }
                state.feeder = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// The body is complete, or cannot be made: then the transfer ends with that error.
    private func push(end error: (any Error)?) {
        let unpause = state.withLock { state in
            state.uploadEnded = true
            if let error, state.fault == nil { state.fault = error }
            defer { state.isUploadPaused = false }
            return state.isUploadPaused
        }
        if error != nil { cancel() } else if unpause { self.unpause() }
    }

    /// Called by libcurl's thread: fills `buffer` with bytes to send; 0 after the last.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        state.withLock { state in
            guard state.fault == nil else { return fleet_curl_read_abort }
            let rest = state.upload[state.uploadOffset...]
            guard !rest.isEmpty else {
                if state.uploadEnded { return 0 }
                state.isUploadPaused = true
                return fleet_curl_read_pause
            }
            let count = min(buffer.count, rest.count)
            unsafe buffer.copyBytes(from: rest.prefix(count))
            state.uploadOffset += count
            if state.upload.count - state.uploadOffset < Self.window / 2, let feeder = state.feeder {
                state.feeder = nil
                feeder.resume(returning: true)
            }
            return count
        }
    }

    /// Called by libcurl's thread when it must send the body again, on another connection.
    func rewind(to offset: Int) -> Bool {
        guard case .bytes(let bytes) = request.body, (0...bytes.count).contains(offset) else { return false }
        state.withLock { $0.uploadOffset = offset }
        return true
    }
}
