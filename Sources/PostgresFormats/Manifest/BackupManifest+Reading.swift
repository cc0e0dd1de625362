import Crypto
public import FleetPluginAPI

extension BackupManifest {
    /// Reads a manifest and verifies its own checksum.
    ///
    /// - Throws: `corrupted` when the checksum is wrong or the bytes are no manifest; `unsupported` for versions other
    ///   than 1 and 2.
    public init(_ bytes: [UInt8]) throws(FleetError) {
        try Self.verify(bytes)
        self = try bytes.span.withUnsafeBytes { (bytes) throws(FleetError) in
            var scanner = JSONScanner(bytes)
            do throws(JSONScanner.Failure) {
                return try BackupManifest(&scanner)
            } catch {
                throw Self.corrupted("\(error.reason) at byte \(error.offset)")
            }
        }
        guard version == 1 || version == 2 else {
            throw FleetError(
                .unsupported, "the backup manifest has a version that fleet does not know", cause: "version \(version)")
        }
        guard version == 1 || systemIdentifier != nil else {
            throw Self.corrupted("it names no system, though its version is 2")
        }
    }

    /// The checksum on the last line covers everything before that line.
    private static func verify(_ bytes: [UInt8]) throws(FleetError) {
        guard bytes.last == 0x0A, let newline = bytes.dropLast().lastIndex(of: 0x0A) else {
            throw corrupted("it does not end with a line of its own for its checksum")
        }
        let line = bytes[(newline + 1)...].dropLast()
        let prefix = Array(#""Manifest-Checksum": ""#.utf8)
        guard line.count == prefix.count + 66, line.starts(with: prefix), line.suffix(2).elementsEqual([0x22, 0x7D]),
            let expected = Hexadecimal.decode(String(decoding: line.dropFirst(prefix.count).dropLast(2), as: UTF8.self))
        else { throw corrupted("its last line is not its checksum") }
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[...newline])) }
        guard hash.finalize().elementsEqual(expected) else { throw corrupted("its checksum is wrong") }
    }

    private static func corrupted(_ cause: String) -> FleetError {
        FleetError(.corrupted, "the backup manifest is damaged", cause: cause)
    }

    private init(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) {
        var version: Int?
        var manifest = BackupManifest(version: 0, systemIdentifier: nil, files: [], walRanges: [])
        try scanner.object { (scanner, key) throws(JSONScanner.Failure) in
            switch key {
            case "PostgreSQL-Backup-Manifest-Version": version = Int(clamping: try scanner.unsigned())
            case "System-Identifier": manifest.systemIdentifier = SystemIdentifier(rawValue: try scanner.unsigned())
            case "Files":
                try scanner.array { (scanner) throws(JSONScanner.Failure) in
                    manifest.files.append(try File(&scanner))
                }
            case "WAL-Ranges":
                try scanner.array { (scanner) throws(JSONScanner.Failure) in
                    manifest.walRanges.append(try WALRange(&scanner))
                }
            default: try scanner.skip()
            }
        }
        guard let version, scanner.isAtEnd() else { throw scanner.failure("manifest without a version, or its end") }
        manifest.version = version
        self = manifest
    }
}

extension BackupManifest.File {
    fileprivate init(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) {
        var path: String?
        var rawPath: [UInt8]?
        var size: UInt64?
        var lastModified: Timestamp?
        var algorithm: String?
        var value: [UInt8]?
        try scanner.object { (scanner, key) throws(JSONScanner.Failure) in
            switch key {
            case "Path": path = try scanner.string()
            case "Encoded-Path":
                guard let bytes = Hexadecimal.decode(try scanner.string()) else {
                    throw scanner.failure("path that is not hexadecimal")
                }
                path = String(decoding: bytes, as: UTF8.self)
                if String(validating: bytes, as: UTF8.self) == nil { rawPath = bytes }
            case "Size": size = try scanner.unsigned()
            case "Last-Modified":
                lastModified = Timestamp(postgresText: try scanner.string())
                if lastModified == nil { throw scanner.failure("time that cannot be read") }
            case "Checksum-Algorithm": algorithm = try scanner.string()
            case "Checksum":
                value = Hexadecimal.decode(try scanner.string())
                if value == nil { throw scanner.failure("checksum that is not hexadecimal") }
            default: try scanner.skip()
            }
        }
        guard let path, !path.isEmpty, let size, let lastModified else {
            throw scanner.failure("file without path, size or time")
        }
        var checksum: BackupManifest.Checksum?
        if let algorithm, algorithm != "NONE" {
            guard let known = BackupManifest.ChecksumAlgorithm(rawValue: algorithm), let value,
                value.count == known.length
            else { throw scanner.failure("checksum of an unknown kind or length") }
            checksum = BackupManifest.Checksum(known, value)
        }
        self.init(path: path, rawPath: rawPath, size: size, lastModified: lastModified, checksum: checksum)
    }
}

extension BackupManifest.WALRange {
    fileprivate init(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) {
        var timeline: TimelineID?
        var start: LSN?
        var end: LSN?
        try scanner.object { (scanner, key) throws(JSONScanner.Failure) in
            switch key {
            case "Timeline": timeline = TimelineID(exactly: try scanner.unsigned())
            case "Start-LSN": start = LSN(try scanner.string())
            case "End-LSN": end = LSN(try scanner.string())
            default: try scanner.skip()
            }
        }
        guard let timeline, timeline > 0, let start, let end, start <= end else {
            throw scanner.failure("WAL range without timeline, start and end")
        }
        self.init(timeline: timeline, start: start, end: end)
    }
}
