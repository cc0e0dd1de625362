/// The head of an answer, and its body as it arrives.
public struct HTTPResponse: Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: HTTPBody

    /// Reads the rest of the body.
    public func collect() async throws -> HTTPResult {
        var bytes: [UInt8] = []
        for try await piece in body {
            // A large body would be copied each time that it outgrows its place.
            if bytes.isEmpty {
                bytes.reserveCapacity(headers["content-length"].flatMap { Int($0) }.map(Self.room) ?? 0)
            }
            bytes += piece
        }
        return HTTPResult(status: status, headers: headers, body: bytes)
    }

    /// What a head says of its body's length is believed only so far.
    private static func room(_ length: Int) -> Int { max(0, min(length, 128 << 20)) }
}

/// A whole answer.
public struct HTTPResult: Hashable, Sendable {
    public var status: Int
    public var headers: HTTPHeaders
    public var body: [UInt8]

    public var isSuccess: Bool { (200..<300).contains(status) }
    public var text: String { String(decoding: body, as: UTF8.self) }

    public init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A body in pieces, for one reader. While nobody reads, little is buffered and the server is made to wait; a body
/// that is let go of before its end ends the transfer.
public struct HTTPBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    private let handle: Handle

    init(_ transfer: Transfer, _ session: HTTPSession) {
        handle = Handle(transfer, session)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(handle: handle) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let handle: Handle

        public mutating func next() async throws -> [UInt8]? {
            try await handle.transfer.nextPiece()
        }
    }

    fileprivate final class Handle: Sendable {
        let transfer: Transfer
        // A session that goes away ends its transfers.
        private let session: HTTPSession

        init(_ transfer: Transfer, _ session: HTTPSession) {
            self.transfer = transfer
            self.session = session
        }

        deinit {
            transfer.cancel()
        }
    }
}
