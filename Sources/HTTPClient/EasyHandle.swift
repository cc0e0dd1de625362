import CLibCurl
import FleetPluginAPI
import Synchronization

/// One transfer as libcurl has it. Made, used and freed on libcurl's thread.
@safe final class EasyHandle {
    let transfer: Transfer
    let pointer: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var addressList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    /// - Parameter connectsOnly: what is sent and received then is the caller's.
    init(_ transfer: Transfer, connectsOnly: Bool = false) throws {
        guard let pointer = unsafe curl_easy_init() else {
            throw FleetError(.exhausted, "\(transfer.request): libcurl has no memory")
        }
        self.transfer = transfer
        unsafe self.pointer = unsafe pointer
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try setRequest()
        if connectsOnly {
            try set(CURLOPT_CONNECT_ONLY, 1)
            try set(CURLOPT_HTTPPROXYTUNNEL, 1)
        } else {
            try setBody()
            try setHeaders()
        }
        try setConnection()
        try setTLS()
        setCallbacks()
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(headerList)
        unsafe curl_slist_free_all(addressList)
        unsafe errorText.deallocate()
    }

    /// What the end of the transfer means.
    func outcome(_ code: CURLcode) -> Result<Void, any Error> {
        guard code != CURLE_OK else { return .success(()) }
        var sent = 0
        if unsafe fleet_curl_get_long(pointer, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK, sent == 0 {
            transfer.noteUnsent()
        }
        let said = unsafe String(cString: errorText)
        let cause = unsafe said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
        return .failure(CurlFailure.error(code, transfer.request, cause: cause))
    }

    func set(_ option: CURLoption, _ value: Int) throws {
        try check(unsafe fleet_curl_set_long(pointer, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws {
        try check(unsafe fleet_curl_set_string(pointer, option, value))
    }

    func set(_ option: CURLoption, _ bytes: [UInt8]) throws {
        try check(
            unsafe bytes.withUnsafeBytes { unsafe fleet_curl_set_blob(pointer, option, $0.baseAddress, $0.count) })
    }

    func setOffset(_ option: CURLoption, _ value: Int64) throws {
        try check(unsafe fleet_curl_set_offset(pointer, option, curl_off_t(value)))
    }

    private func check(_ code: CURLcode) throws {
        guard code != CURLE_OK else { return }
        let cause = unsafe String(cString: curl_easy_strerror(code))
        throw CurlFailure.error(code, transfer.request, cause: cause)
    }

    private func setRequest() throws {
        let request = transfer.request
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_TIMEOUT_MS, Self.milliseconds(request.deadline))
        try set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.connectTimeout))
        if request.stallTimeout > .zero {
            try set(CURLOPT_LOW_SPEED_LIMIT, 1)
            try set(CURLOPT_LOW_SPEED_TIME, max(1, Int(request.stallTimeout.seconds.rounded(.up))))
        }
        if transfer.followsRedirects {
            try set(CURLOPT_FOLLOWLOCATION, 1)
            try set(CURLOPT_MAXREDIRS, request.redirects)
        }
        // One connection for each transfer, so that one whose reader is slow holds up nobody else.
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    }

    /// Every body comes through the read callback; `UPLOAD` is what makes libcurl call it under any method.
    private func setBody() throws {
        let method = transfer.request.method
        switch transfer.request.body {
        case .none:
            switch method {
            case .get: try set(CURLOPT_HTTPGET, 1)
            case .head: try set(CURLOPT_NOBODY, 1)
            case .post, .put, .patch:
                // A server may insist on a length.
                try set(CURLOPT_POST, 1)
                try setOffset(CURLOPT_POSTFIELDSIZE_LARGE, 0)
                try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
            case .delete, .options: try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
            }
        case .bytes(let bytes): try setUpload(method, Int64(bytes.count))
        case .stream(let length, _): try setUpload(method, length ?? -1)
        }
    }

    private func setUpload(_ method: HTTPRequest.Method, _ length: Int64) throws {
        try set(CURLOPT_UPLOAD, 1)
        try setOffset(CURLOPT_INFILESIZE_LARGE, length)
        try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
    }

    private func setHeaders() throws {
        // libcurl would wait a second for a server's leave to send a large body.
        var lines = ["Expect:"]
        if transfer.request.headers["user-agent"] == nil { lines.append("User-Agent: \(transfer.options.agent)") }
        // A semicolon is libcurl's way to write a header without a value.
        func line(_ name: String, _ value: String) -> String { value.isEmpty ? "\(name);" : "\(name): \(value)" }
        lines += transfer.request.headers.fieldList.map { line($0.name, $0.value) }
        for (name, secret) in transfer.request.secretHeaders { lines.append(secret.reveal { line(name, $0) }) }
        for line in lines {
            guard let list = unsafe curl_slist_append(headerList, line) else {
                throw FleetError(.exhausted, "\(transfer.request): libcurl has no memory")
            }
            unsafe headerList = list
        }
        try check(unsafe fleet_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerList))
    }

    private func setConnection() throws {
        if let path = transfer.options.unixSocket { try set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let proxy = transfer.options.proxy {
            try proxy.reveal { try set(CURLOPT_PROXY, $0) }
            try set(CURLOPT_NOPROXY, "")
        } else if !transfer.options.usesProxyEnvironment {
            try set(CURLOPT_PROXY, "")
        }
        if let address = transfer.options.connectTo {
            guard let list = unsafe curl_slist_append(nil, "::\(address)") else {
                throw FleetError(.exhausted, "\(transfer.request): libcurl has no memory")
            }
            unsafe addressList = list
            try check(unsafe fleet_curl_set_list(pointer, CURLOPT_CONNECT_TO, list))
        }
        // Whoever waits for an answer for long learns that the other side is gone.
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_TCP_KEEPIDLE, 30)
        try set(CURLOPT_TCP_KEEPINTVL, 10)
    }

    private func setTLS() throws {
        let tls = transfer.options.tls
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = tls.authorityFile { try set(CURLOPT_CAINFO, file) }
        if let bytes = tls.authorities { try set(CURLOPT_CAINFO_BLOB, bytes) }
        if let file = tls.clientCertificateFile { try set(CURLOPT_SSLCERT, file) }
        if let file = tls.clientKeyFile { try set(CURLOPT_SSLKEY, file) }
        if let bytes = tls.clientCertificate { try set(CURLOPT_SSLCERT_BLOB, bytes) }
        if let key = tls.clientKey { try key.reveal { try set(CURLOPT_SSLKEY_BLOB, Array($0.utf8)) } }
    }

    private func setCallbacks() {
        // Borrowed: this handle keeps the transfer as long as libcurl may call.
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        _ = unsafe fleet_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        _ = unsafe fleet_curl_set_pointer(pointer, CURLOPT_WRITEDATA, context)
        _ = unsafe fleet_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context)
        _ = unsafe fleet_curl_set_pointer(pointer, CURLOPT_READDATA, context)
        _ = unsafe fleet_curl_set_pointer(pointer, CURLOPT_SEEKDATA, context)
        _ = unsafe fleet_curl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            guard let (transfer, bytes) = unsafe EasyHandle.arguments(data, size * count, context) else { return 0 }
            return unsafe transfer.receive(UnsafeRawBufferPointer(bytes))
        }
        _ = unsafe fleet_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let (transfer, bytes) = unsafe EasyHandle.arguments(data, size * count, context) else { return 0 }
            return unsafe transfer.receiveHeader(UnsafeRawBufferPointer(bytes))
        }
        _ = unsafe fleet_curl_set_data_callback(pointer, CURLOPT_READFUNCTION) { data, size, count, context in
            guard let (transfer, bytes) = unsafe EasyHandle.arguments(data, size * count, context) else {
                return fleet_curl_read_abort
            }
            return unsafe transfer.send(into: bytes)
        }
        _ = unsafe fleet_curl_set_seek_callback(pointer) { context, offset, origin in
            guard let context = unsafe context, origin == 0 else { return CURL_SEEKFUNC_CANTSEEK }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.rewind(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK
        }
    }

    private static func arguments(
        _ data: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?
    ) -> (Transfer, UnsafeMutableRawBufferPointer)? {
        guard let context = unsafe context else { return nil }
        let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        return unsafe (transfer, UnsafeMutableRawBufferPointer(start: data, count: count))
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        // 0 would mean forever.
        Int(max(1, min(duration.seconds * 1000, 2_000_000_000)).rounded(.up))
    }
}
