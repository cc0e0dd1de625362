public import FleetPluginAPI

extension ControlFile {
    /// - Throws: `corrupted` when the file is cut short or its checksum is wrong; `unsupported` for other versions or
    ///   another byte order.
    public init(_ bytes: [UInt8]) throws(FleetError) {
        self = try bytes.span.withUnsafeBytes { (bytes) throws(FleetError) in try ControlFile(bytes) }
    }

    init(_ bytes: UnsafeRawBufferPointer) throws(FleetError) {
        var reader = ByteReader(bytes)
        guard let identifier = reader.read(UInt64.self), let version = reader.read(UInt32.self) else {
            throw Self.corrupted("it has only \(bytes.count) bytes")
        }
        try Self.verify(bytes, version: version)
        guard let file = Self.read(bytes, systemIdentifier: SystemIdentifier(rawValue: identifier)) else {
            throw Self.corrupted("a field has a value that PostgreSQL does not write")
        }
        self = file
    }

    private static func verify(_ bytes: UnsafeRawBufferPointer, version: UInt32) throws(FleetError) {
        guard let length = [1300: 288, 1700: 288, 1800: 292][version] else {
            let isForeign = version.byteSwapped < 10_000
            throw FleetError(
                .unsupported, "pg_control has a version that fleet does not know",
                cause: isForeign ? "its byte order is another machine's" : "pg_control_version \(version)",
                hint: "fleet reads PostgreSQL 13 to 18")
        }
        var reader = ByteReader(bytes, at: length)
        guard let checksum = reader.read(UInt32.self) else { throw corrupted("it has only \(bytes.count) bytes") }
        var crc = CRC32C()
        crc.update(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        guard crc.value == checksum else { throw corrupted("its checksum is wrong") }
    }

    /// All versions agree up to `data_checksum_version`. Nil when a value is out of range.
    private static func read(_ bytes: UnsafeRawBufferPointer, systemIdentifier: SystemIdentifier) -> ControlFile? {
        let field = Fields(bytes: bytes)
        guard let state = State(rawValue: field.number(16)), let walLevel = WALLevel(rawValue: field.number(172)),
            let time = field.time(24), let checkpointTime = field.time(104)
        else { return nil }
        let segmentSize = field.number(228)
        guard (1 << 20...1 << 30).contains(segmentSize), segmentSize.nonzeroBitCount == 1 else { return nil }
        return ControlFile(
            systemIdentifier: systemIdentifier, controlVersion: Int(field.number(8)),
            catalogVersion: Int(field.number(12)), state: state, time: time,
            checkpoint: Checkpoint(
                location: field.lsn(32), redo: field.lsn(40), timeline: field.number(48),
                previousTimeline: field.number(52), fullPageWrites: field.flag(56),
                nextTransaction: field.lsn(64).rawValue, time: checkpointTime),
            minimumRecoveryPoint: field.lsn(136), minimumRecoveryTimeline: field.number(144),
            backupStart: field.lsn(152), backupEnd: field.lsn(160), isBackupEndRequired: field.flag(168),
            walLevel: walLevel, walLogHints: field.flag(176),
            parameters: RecoveryParameters(
                maxConnections: field.integer(180), maxWorkerProcesses: field.integer(184),
                maxWALSenders: field.integer(188), maxPreparedTransactions: field.integer(192),
                maxLocksPerTransaction: field.integer(196)),
            dataChecksumVersion: Int(field.number(252)), blockSize: Int(field.number(216)),
            walBlockSize: Int(field.number(224)), walSegmentSize: UInt64(segmentSize))
    }

    private static func corrupted(_ cause: String) -> FleetError {
        FleetError(.corrupted, "pg_control is damaged", cause: cause)
    }

    /// Fields by offset, within the 288 bytes that `verify` has seen.
    private struct Fields {
        let bytes: UnsafeRawBufferPointer

        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }

        func number(_ offset: Int) -> UInt32 { load(offset) }
        func integer(_ offset: Int) -> Int { Int(load(offset) as Int32) }
        func lsn(_ offset: Int) -> LSN { LSN(load(offset)) }
        func flag(_ offset: Int) -> Bool { bytes[offset] != 0 }

        /// A `pg_time_t`: seconds since 1970. Nil outside the years 1970 … 9999.
        func time(_ offset: Int) -> Timestamp? {
            let seconds: Int64 = load(offset)
            guard (0..<253_402_300_800).contains(seconds) else { return nil }
            return Timestamp(microseconds: seconds * 1_000_000)
        }
    }
}
