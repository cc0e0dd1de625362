import Dispatch
import Glibc

/// One of the standard streams, and what stands at its other end.
///
/// Writes go to a thread of their own, in order: a terminal that is held (Ctrl-S) or a slow pipe holds nobody else up.
public struct Terminal: Sendable {
    public enum Stream: Int32, Sendable {
        case output = 1
        case error = 2
    }

    public let stream: Stream
    /// Whether a person's terminal is at the other end.
    public let isTerminal: Bool
    public let hasColours: Bool
    /// Whether characters outside ASCII are shown as they are meant; where not, `write` puts others in their place.
    public let hasUnicode: Bool

    // One queue for both streams, so that what is written last is seen last.
    private static let queue = DispatchQueue(label: "terminal")

    /// - Parameter allowsColours: false for `--no-color`.
    public init(_ stream: Stream, allowsColours: Bool = true) {
        self.stream = stream
        isTerminal = isatty(stream.rawValue) == 1
        hasColours = TerminalPolicy.hasColours(
            allows: allowsColours, isTerminal: isTerminal, environment: Self.variable)
        hasUnicode = TerminalPolicy.hasUnicode(environment: Self.variable)
    }

    /// Columns; nil where nobody looks at it, so that nothing is shortened.
    public var width: Int? {
        guard isTerminal else { return nil }
        guard let size, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Lines; nil where nobody looks at it.
    public var height: Int? {
        guard isTerminal else { return nil }
        guard let size, size.ws_row > 0 else { return 24 }
        return Int(size.ws_row)
    }

    private var size: winsize? {
        var size = winsize()
        return ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }

    /// Whether somebody can be asked: both the question is seen and an answer can be typed.
    public static var canAsk: Bool {
        isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
    }

    public func write(_ lines: [StyledText]) {
        write(lines.map { rendered($0) + "\n" }.joined())
    }

    public func write(_ line: StyledText) {
        write([line])
    }

    /// A line as this terminal shows it.
    func rendered(_ line: StyledText) -> String {
        let text = line.rendered(coloured: hasColours)
        return hasUnicode ? text : DisplayText.ascii(text)
    }

    /// Text as it is, escape sequences included.
    public func write(_ text: String) {
        Self.queue.async { [stream] in Self.writeAll(Array(text.utf8), to: stream.rawValue) }
    }

    /// Waits until all that was written has left this process.
    public static func flush() async {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume() }
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
                continue
            }
            // Nobody reads any more: what is being done goes on without an audience.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
