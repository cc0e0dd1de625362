import DurableFiles
import FleetPluginAPI
import Synchronization

/// Where reading of each task's output went on to, so that following a task does not read its whole output each time.
final class TaskOutputIndex: Sendable {
    private struct Place {
        var line = 0
        var offset: Int64 = 0
    }

    /// At most this much is returned at once, in bytes.
    private static let limit: Int64 = 4 << 20
    private let places = Mutex<[String: Place]>([:])

    /// Lines numbered from `line` on. Blocks.
    ///
    /// - Parameter isWhole: Nothing more will be written: a last line without a line break is one.
    func lines(of path: String, from line: Int, isWhole: Bool) throws -> [String] {
        guard try BlockingDisk.status(path) != nil else { return [] }
        let reader = try FileReader(path)
        var place = places.withLock { $0[path] } ?? Place()
        if place.line > line || place.offset > reader.size { place = Place() }
        var found: [String] = []
        while place.offset < reader.size {
            let bytes = try reader.read(at: place.offset, count: Int(Self.limit))
            var rest = bytes[...]
            while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                if place.line >= line { found.append(Self.text(rest[..<newline])) }
                place.line += 1
                rest = rest[bytes.index(after: newline)...]
            }
            let consumed = bytes.count - rest.count
            place.offset += Int64(consumed)
            guard consumed > 0, found.isEmpty else {
                let isLast = place.offset + Int64(rest.count) == reader.size
                // A line longer than everything that is read at once is cut there.
                if !rest.isEmpty, isWhole && isLast || consumed == 0 && rest.count == Int(Self.limit) {
                    if place.line >= line { found.append(Self.text(rest)) }
                    if !isLast { (place.offset, place.line) = (place.offset + Int64(rest.count), place.line + 1) }
                }
                break
            }
        }
        places.withLock { $0[path] = place }
        return found
    }

    func forget(_ path: String) {
        places.withLock { $0[path] = nil }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes, as: UTF8.self)
    }
}
