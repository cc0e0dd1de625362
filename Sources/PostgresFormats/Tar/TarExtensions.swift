import FleetPluginAPI

/// What GNU and pax headers say of the entry that follows them.
struct TarExtensions {
    private var path: [UInt8]?
    private var linkTarget: [UInt8]?
    private var size: UInt64?
    private var modified: UInt64?
    private(set) var isEmpty = true

    /// GNU long name and long link; pax, of one entry and of all.
    static let kinds: Set<UInt8> = [
        UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "x"), UInt8(ascii: "g"),
    ]

    mutating func reset() {
        self = TarExtensions()
    }

    mutating func add(kind: UInt8, _ data: [UInt8]) throws(FleetError) {
        switch kind {
        case UInt8(ascii: "L"): path = Array(data.prefix { $0 != 0 })
        case UInt8(ascii: "K"): linkTarget = Array(data.prefix { $0 != 0 })
        case UInt8(ascii: "x"): try addRecords(data)
        // A global header's comments and defaults: none that matter here.
        default: return
        }
        isEmpty = false
    }

    /// Records of the form `LENGTH KEY=VALUE\n`, the length in decimal and counting itself.
    private mutating func addRecords(_ data: [UInt8]) throws(FleetError) {
        var rest = data[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...7).contains(digits.count) else { throw TarReader.corrupted("a pax record without a length") }
            let length = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            let record = rest.prefix(length)
            guard record.count == length, length > digits.count + 2, record.last == 0x0A,
                record[record.startIndex + digits.count] == 0x20
            else { throw TarReader.corrupted("a pax record of a wrong length") }
            let content = record.dropFirst(digits.count + 1).dropLast()
            guard let equals = content.firstIndex(of: UInt8(ascii: "=")) else {
                throw TarReader.corrupted("a pax record without a value")
            }
            try set(String(decoding: content[..<equals], as: UTF8.self), Array(content[(equals + 1)...]))
            rest = rest.dropFirst(length)
        }
    }

    private mutating func set(_ key: String, _ value: [UInt8]) throws(FleetError) {
        let text = String(decoding: value, as: UTF8.self)
        switch key {
        case "path": path = value
        case "linkpath": linkTarget = value
        case "size":
            guard let size = UInt64(text), size <= 1 << 50 else { throw TarReader.corrupted("a pax size of \(text)") }
            self.size = size
        case "mtime": modified = UInt64(text.prefix { $0 != "." })
        default: break
        }
    }

    /// The entry that the header and what preceded it describe.
    func entry(_ header: TarHeader) throws(FleetError) -> TarEntry {
        var path = path ?? header.path
        let target = String(decoding: linkTarget ?? header.linkTarget, as: UTF8.self)
        let isSlashed = path.last == UInt8(ascii: "/")
        let kind: TarEntry.Kind =
            switch header.type {
            case UInt8(ascii: "0"), UInt8(ascii: "7"): .file
            case 0: isSlashed ? .directory : .file
            case UInt8(ascii: "5"): .directory
            case UInt8(ascii: "2"): .symbolicLink(target: target)
            case UInt8(ascii: "1"): .hardLink(target: target)
            default: .other(header.type)
            }
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        // PostgreSQL writes some directories as ./pg_wal.
        while path.count > 2, path.starts(with: Array("./".utf8)) { path.removeFirst(2) }
        let hasData: Bool =
            switch kind {
            case .file, .other: true
            case .directory, .symbolicLink, .hardLink: false
            }
        return TarEntry(
            path: String(decoding: path, as: UTF8.self), kind: kind, size: hasData ? size ?? header.size : 0,
            mode: header.mode,
            modified: Timestamp(microseconds: Int64(min(modified ?? header.modified, 253_402_300_799)) * 1_000_000),
            pathHazard: TarEntry.hazard(of: path))
    }
}
