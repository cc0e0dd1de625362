import CLibCurl
import FleetPluginAPI
import Synchronization

// What libcurl's thread calls while an answer arrives. A return value other than the count of bytes stops the transfer.
extension Transfer {
    /// A line of an answer's head, or of its trailers.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        let count = line.count
        let text = unsafe String(decoding: line, as: UTF8.self)
        return state.withLock { state in
            state.headBytes += count
            guard state.headBytes <= Self.headLimit else {
                state.fault = FleetError(
                    .protocolViolation, "\(request): the head of the answer is larger than \(Self.headLimit) bytes")
                return 0
            }
            guard state.head == nil else { return count }
            let line = text.filter { !$0.isNewline }
            if line.utf8.starts(with: "HTTP/".utf8) {
                // Another answer: after an interim one, or after a redirect.
                state.headers = HTTPHeaders()
                state.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            } else if !line.isEmpty {
                guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return count }
                let value = line[line.utf8.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                state.headers.add(String(line[..<colon]), Self.trimmingEnd(value))
            } else if isFinal(state) {
                let head = Head(status: state.status, headers: state.headers)
                state.head = head
                state.headWaiter?.resume(returning: head)
                state.headWaiter = nil
            }
            return count
        }
    }

    /// Bytes of the body. While the window is full libcurl is paused and hands the same bytes over again later.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = bytes.count
        return state.withLock { state in
            guard state.fault == nil, state.outcome == nil else { return 0 }
            // The body of a redirect that is followed.
            guard state.head != nil else { return count }
            guard state.waitingBytes < Self.window else {
                state.isPaused = true
                return fleet_curl_write_pause
            }
            state.receivedBytes += Int64(count)
            guard state.receivedBytes <= request.responseLimit else {
                state.fault = FleetError(
                    .exhausted, "\(request): the answer is larger than \(ByteSize.text(request.responseLimit))",
                    retriable: false)
                return 0
            }
            guard count > 0 else { return 0 }
            let piece = unsafe [UInt8](bytes)
            if let reader = state.reader {
                state.reader = nil
                reader.resume(returning: piece)
            } else {
                state.pieces.append(piece)
                state.waitingBytes += count
            }
            return count
        }
    }

    private func isFinal(_ state: State) -> Bool {
        if (100..<200).contains(state.status) { return false }
        let isRedirect = (300..<400).contains(state.status) && state.headers["location"] != nil
        return !(isRedirect && followsRedirects)
    }

    var followsRedirects: Bool { request.redirects > 0 && request.secretHeaders.isEmpty }

    private static func trimmingEnd(_ text: Substring) -> String {
        var text = text
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
