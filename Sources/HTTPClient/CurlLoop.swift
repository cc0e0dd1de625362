import CLibCurl
import FleetPluginAPI
import Glibc
import Synchronization

/// The thread on which libcurl runs: it owns the multi handle and every easy handle in it.
///
/// `@unchecked`: `multi`, the handles and the tunnels are touched by that thread alone, except for `curl_multi_wakeup`, which may be
/// called from any thread (its manual page); everything else is in `state`.
@safe final class CurlLoop: @unchecked Sendable {
    enum Command: Sendable {
        case start(Transfer)
        case unpause(Transfer)
        case cancel(Transfer)
        case open(Tunnel)
        case serve(Tunnel)
        case close(Tunnel)
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
        var hasThread = false
    }

    private let state = Mutex(State())
    private let multi: UnsafeMutableRawPointer
    private var handles: [UnsafeMutableRawPointer: EasyHandle] = unsafe [:]
    private var handlesOfTransfers: [ObjectIdentifier: EasyHandle] = [:]

    private let tunnels = TunnelTable()

    private static let isReady: Bool = curl_global_init(fleet_curl_global_default) == CURLE_OK

    init(connectionsPerHost: Int, connections: Int) {
        guard Self.isReady, let multi = unsafe curl_multi_init() else { fatalError("libcurl cannot be initialized") }
        unsafe self.multi = unsafe multi
        _ = unsafe fleet_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
        _ = unsafe fleet_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
    }

    deinit {
        unsafe curl_multi_cleanup(multi)
    }

    func submit(_ command: Command) {
        let (isClosed, needsThread) = state.withLock { state in
            if state.isClosed { return (true, false) }
            state.commands.append(command)
            defer { state.hasThread = true }
            return (false, !state.hasThread)
        }
        if isClosed {
            switch command {
            case .start(let transfer): transfer.finish(.failure(CancellationError()))
            case .open(let tunnel): tunnel.end(.failure(CancellationError()))
            default: break
            }
            return
        }
        if needsThread { startThread() }
        _ = unsafe curl_multi_wakeup(multi)
    }

    /// Ends every transfer and then the thread.
    func close() {
        state.withLock { $0.isClosed = true }
        _ = unsafe curl_multi_wakeup(multi)
    }

    private func startThread() {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue().run()
                }
                return nil
            }, context.toOpaque())
        precondition(result == 0, "no thread for HTTP")
        pthread_detach(thread)
    }

    private func run() {
        // OpenSSL writes to sockets without MSG_NOSIGNAL; a signal that is pending for this thread harms nobody.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        while true {
            let (commands, isClosed) = state.withLock { state in
                defer { state.commands = [] }
                return (state.commands, state.isClosed)
            }
            for command in commands { perform(command) }
            if isClosed { return endAll() }
            var running: Int32 = 0
            _ = unsafe curl_multi_perform(multi, &running)
            finishDone()
            tunnels.perform()
            wait()
        }
    }

    private func wait() {
        let longest = min(tunnels.longestWait, unsafe handles.isEmpty ? 60_000 : 1000)
        var descriptors = tunnels.descriptors()
        let count = UInt32(descriptors.count)
        _ = unsafe descriptors.withUnsafeMutableBufferPointer {
            unsafe curl_multi_poll(multi, $0.baseAddress, count, longest, nil)
        }
        tunnels.note(descriptors)
    }

    private func perform(_ command: Command) {
        switch command {
        case .start(let transfer):
            guard !transfer.isOver else { return }
            do {
                let handle = try EasyHandle(transfer)
                guard unsafe curl_multi_add_handle(multi, handle.pointer) == CURLM_OK else {
                    throw FleetError(.failed, "\(transfer.request): libcurl refused the transfer")
                }
                unsafe handles[handle.pointer] = handle
                handlesOfTransfers[ObjectIdentifier(transfer)] = handle
            } catch {
                transfer.finish(.failure(error))
            }
        case .unpause(let transfer):
            guard let handle = handle(of: transfer) else { return }
            _ = unsafe curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
        case .cancel(let transfer):
            guard let handle = handle(of: transfer) else { return transfer.finish(.failure(CancellationError())) }
            remove(handle)
            transfer.finish(.failure(CancellationError()))
        case .open(let tunnel): tunnels.open(tunnel)
        // It is served with all others.
        case .serve: break
        case .close(let tunnel): tunnels.close(tunnel)
        }
    }

    private func finishDone() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let pointer = unsafe message.pointee.easy_handle,
                let handle = unsafe handles[pointer]
            else { continue }
            // The message does not outlive the handle's removal.
            let code = unsafe message.pointee.data.result
            let outcome = handle.outcome(code)
            remove(handle)
            handle.transfer.finish(outcome)
        }
    }

    private func endAll() {
        tunnels.closeAll()
        let remaining = unsafe Array(handles.values)
        for handle in remaining {
            remove(handle)
            handle.transfer.finish(.failure(CancellationError()))
        }
    }

    private func remove(_ handle: EasyHandle) {
        _ = unsafe curl_multi_remove_handle(multi, handle.pointer)
        unsafe handles[handle.pointer] = nil
        handlesOfTransfers[ObjectIdentifier(handle.transfer)] = nil
    }

    private func handle(of transfer: Transfer) -> EasyHandle? {
        handlesOfTransfers[ObjectIdentifier(transfer)]
    }
}
