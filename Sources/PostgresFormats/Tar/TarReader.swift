public import FleetPluginAPI

/// Reads a tar archive that arrives in pieces: ustar, and of GNU and pax what long names and large sizes need.
///
/// Holds one header block and no data. After an error it is of no more use.
public struct TarReader {
    /// The two zero blocks at the end were seen. `BASE_BACKUP` writes them since PostgreSQL 15; before, the stream just
    /// ends.
    public private(set) var isTerminated = false
    private var state = State.header
    /// The part of a block, or of an extension's data, that has come.
    private var buffer: [UInt8] = []
    private var extensions = TarExtensions()
    private var zeroBlocks = 0

    private enum State {
        case header
        case data(remaining: UInt64, padding: Int)
        case extensionData(kind: UInt8, size: Int, padding: Int)
        case padding(Int)
        case terminated
    }

    static let blockSize = 512
    /// Long names and pax records are not larger than this; nobody's are.
    private static let extensionLimit = 1 << 20

    public init() {}

    /// Takes the next piece of the archive.
    ///
    /// - Throws: `corrupted` when the bytes are not an archive; what the visitor throws.
    public mutating func feed<Visitor: TarVisitor & ~Copyable>(_ piece: RawSpan, _ visitor: inout Visitor) throws {
        var offset = 0
        while offset < piece.byteCount {
            offset += try step(piece.extracting(offset..<piece.byteCount), &visitor)
        }
    }

    /// See `feed(_:_:)` over a span.
    public mutating func feed<Visitor: TarVisitor & ~Copyable>(_ piece: [UInt8], _ visitor: inout Visitor) throws {
        try feed(piece.span.bytes, &visitor)
    }

    /// Says that no more will come.
    ///
    /// - Throws: `corrupted` when the archive ends within an entry.
    public func finish() throws(FleetError) {
        switch state {
        case .terminated: return
        case .header where buffer.isEmpty && extensions.isEmpty: return
        default: throw Self.corrupted("it ends within an entry")
        }
    }

    static func corrupted(_ cause: String) -> FleetError {
        FleetError(.corrupted, "the tar archive is damaged", cause: cause)
    }

    /// Takes some of the piece, at least one byte; how many.
    private mutating func step<Visitor: TarVisitor & ~Copyable>(
        _ piece: RawSpan, _ visitor: inout Visitor
    ) throws -> Int {
        switch state {
        case .header:
            let count = collect(piece, upTo: Self.blockSize)
            if buffer.count == Self.blockSize { try readHeader(&visitor) }
            return count
        case .data(let remaining, let padding):
            let count = Int(min(remaining, UInt64(piece.byteCount)))
            try visitor.data(piece.extracting(first: count))
            state = .data(remaining: remaining - UInt64(count), padding: padding)
            if remaining == UInt64(count) {
                try visitor.end()
                state = padding == 0 ? .header : .padding(padding)
            }
            return count
        case .extensionData(let kind, let size, let padding):
            let count = collect(piece, upTo: size)
            if buffer.count == size {
                try extensions.add(kind: kind, buffer)
                buffer.removeAll(keepingCapacity: true)
                state = padding == 0 ? .header : .padding(padding)
            }
            return count
        case .padding(let remaining):
            let count = min(remaining, piece.byteCount)
            state = count == remaining ? .header : .padding(remaining - count)
            return count
        case .terminated:
            guard piece.withUnsafeBytes({ $0.allSatisfy { $0 == 0 } }) else {
                throw Self.corrupted("something follows its end")
            }
            return piece.byteCount
        }
    }

    private mutating func collect(_ piece: RawSpan, upTo size: Int) -> Int {
        let count = min(size - buffer.count, piece.byteCount)
        piece.extracting(first: count).withUnsafeBytes { buffer += $0 }
        return count
    }

    private mutating func readHeader<Visitor: TarVisitor & ~Copyable>(_ visitor: inout Visitor) throws {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard buffer.contains(where: { $0 != 0 }) else {
            zeroBlocks += 1
            guard extensions.isEmpty else { throw Self.corrupted("it ends within an entry") }
            if zeroBlocks == 2 {
                isTerminated = true
                state = .terminated
            }
            return
        }
        guard zeroBlocks == 0 else { throw Self.corrupted("a single zero block stands between entries") }
        let header = try TarHeader(buffer)
        if TarExtensions.kinds.contains(header.type) {
            guard header.size > 0, header.size <= Self.extensionLimit else {
                throw Self.corrupted("a long name or extension of \(header.size) bytes")
            }
            state = .extensionData(kind: header.type, size: Int(header.size), padding: Self.padding(header.size))
            return
        }
        let entry = try extensions.entry(header)
        extensions.reset()
        try visitor.begin(entry)
        let padding = Self.padding(entry.size)
        if entry.size == 0 { try visitor.end() }
        state = entry.size == 0 ? .header : .data(remaining: entry.size, padding: padding)
    }

    /// Zero bytes up to the next block.
    private static func padding(_ size: UInt64) -> Int {
        Int((UInt64(blockSize) - size % UInt64(blockSize)) % UInt64(blockSize))
    }
}
