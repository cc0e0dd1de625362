import CLibCurl
import FleetPluginAPI
import Glibc

/// One tunnel as libcurl has it. Made, used and freed on libcurl's thread.
///
/// It has a multi handle of its own: in a shared one, libcurl's housekeeping may take a connection that no transfer
/// uses for one that can be dropped.
@safe final class TunnelHandle {
    let tunnel: Tunnel
    private let easy: EasyHandle
    private let multi: UnsafeMutableRawPointer
    private(set) var isConnected = false
    /// There may be something to read that `poll` does not see: TLS keeps whole records.
    var mayRead = false
    private var wantsWrite = false
    private var socket: curl_socket_t = -1

    /// What is being sent. It stays where it is until it has gone: OpenSSL insists on that.
    private let chunk: UnsafeMutablePointer<UInt8>
    private var chunkCount = 0
    private var chunkOffset = 0
    private let buffer: UnsafeMutablePointer<UInt8>

    /// A TLS record.
    private static let chunkSize = 16 << 10
    private static let bufferSize = 64 << 10
    /// Pieces read in one go, so that one busy connection does not keep the others waiting.
    private static let turn = 16

    init(_ tunnel: Tunnel) throws {
        self.tunnel = tunnel
        easy = try EasyHandle(tunnel.transfer, connectsOnly: true)
        guard let multi = unsafe curl_multi_init() else {
            throw FleetError(.exhausted, "\(tunnel.transfer.request): libcurl has no memory")
        }
        unsafe self.multi = unsafe multi
        unsafe chunk = .allocate(capacity: Self.chunkSize)
        unsafe buffer = .allocate(capacity: Self.bufferSize)
        _ = unsafe curl_multi_add_handle(multi, easy.pointer)
    }

    deinit {
        _ = unsafe curl_multi_remove_handle(multi, easy.pointer)
        _ = unsafe curl_multi_cleanup(multi)
        unsafe chunk.deallocate()
        unsafe buffer.deallocate()
    }

    /// What is to be waited for; nil for nothing, since `poll` would tell of a hang-up without end.
    var descriptor: curl_waitfd? {
        guard isConnected else { return nil }
        var events: Int32 = 0
        if tunnel.hasRoom { events |= CURL_WAIT_POLLIN }
        if wantsWrite { events |= CURL_WAIT_POLLOUT }
        guard events != 0 else { return nil }
        return curl_waitfd(fd: socket, events: Int16(events), revents: 0)
    }

    /// Does what can be done without waiting; the end of the connection, if it has come.
    func perform() -> Result<Void, any Error>? {
        if !isConnected {
            guard let result = connect() else { return nil }
            guard case .success = result else { return result }
            tunnel.noteOpen()
            mayRead = true
        }
        send()
        if let end = receive() { return end }
        return tunnel.isFinished && chunkOffset == chunkCount ? .success(()) : nil
    }

    private func connect() -> Result<Void, any Error>? {
        var running: Int32 = 0
        _ = unsafe curl_multi_perform(multi, &running)
        var left: Int32 = 0
        guard let message = unsafe curl_multi_info_read(multi, &left), unsafe message.pointee.msg == CURLMSG_DONE else {
            return nil
        }
        let outcome = easy.outcome(unsafe message.pointee.data.result)
        guard case .success = outcome else { return outcome }
        guard unsafe fleet_curl_get_socket(easy.pointer, &socket) == CURLE_OK, socket >= 0 else {
            return .failure(broken("it has no socket"))
        }
        isConnected = true
        return .success(())
    }

    /// What the server said before it stopped listening can still be read: a failure to send is not the end.
    private func send() {
        wantsWrite = false
        while true {
            if chunkOffset == chunkCount {
                let bytes = tunnel.take(Self.chunkSize)
                guard !bytes.isEmpty else { return }
                for (index, byte) in bytes.enumerated() { unsafe chunk[index] = byte }
                (chunkOffset, chunkCount) = (0, bytes.count)
            }
            var sent = 0
            let code = unsafe curl_easy_send(easy.pointer, chunk + chunkOffset, chunkCount - chunkOffset, &sent)
            switch code {
            case CURLE_OK: chunkOffset += sent
            case CURLE_AGAIN:
                wantsWrite = true
                return
            default:
                (chunkOffset, chunkCount) = (0, 0)
                mayRead = true
                return tunnel.noteSendFailure(broken(unsafe String(cString: curl_easy_strerror(code))))
            }
        }
    }

    private func receive() -> Result<Void, any Error>? {
        for _ in 0..<Self.turn {
            guard mayRead, tunnel.hasRoom else { return nil }
            var count = 0
            let code = unsafe curl_easy_recv(easy.pointer, buffer, Self.bufferSize, &count)
            switch code {
            case CURLE_OK where count == 0: return .success(())
            case CURLE_OK:
                tunnel.deliver(unsafe [UInt8](UnsafeBufferPointer(start: buffer, count: count)))
            case CURLE_AGAIN: mayRead = false
            default: return .failure(broken(unsafe String(cString: curl_easy_strerror(code))))
            }
        }
        return nil
    }

    /// Whether it must be served again without waiting.
    var hasMore: Bool { isConnected && mayRead && tunnel.hasRoom }

    private func broken(_ cause: String) -> FleetError {
        FleetError(.unavailable, "\(tunnel.transfer.request): the connection broke", cause: cause)
    }
}
