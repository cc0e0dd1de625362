/// Cuts a stream of bytes into lines; a line longer than the limit is cut into several.
struct LineSplitter {
    private var pending: [UInt8] = []
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    mutating func lines(adding bytes: some Collection<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
                lines.append(take())
            } else {
                pending.append(byte)
                if pending.count >= limit { lines.append(take()) }
            }
        }
        return lines
    }

    /// What stands after the last line break, if anything.
    mutating func rest() -> String? {
        pending.isEmpty ? nil : take()
    }

    private mutating func take() -> String {
        defer { pending.removeAll(keepingCapacity: true) }
        return String(decoding: pending, as: UTF8.self)
    }
}
