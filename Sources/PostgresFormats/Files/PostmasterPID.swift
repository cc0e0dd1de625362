public import FleetPluginAPI

/// A `postmaster.pid` file. The server writes it line by line while it starts, so all but the first may be missing.
///
/// PostgreSQL source: `src/include/utils/pidfile.h`.
public struct PostmasterPID: Hashable, Sendable {
    /// The postmaster's process id, or that of a single-user backend.
    public var pid: Int32
    /// A backend without a postmaster (`postgres --single`).
    public var isSingleUser: Bool
    public var dataDirectory: String?
    /// When the server started, to the second.
    public var startTime: Timestamp?
    public var port: UInt16?
    /// The first Unix socket directory; nil when there is none.
    public var socketDirectory: String?
    /// The first address listened on (`*` for all); nil when there is none.
    public var listenAddress: String?
    /// Key and id of the shared memory segment that tells whether a process of the server still lives (shmctl(2)).
    public var sharedMemory: SharedMemory?
    public var status: Status?

    public struct SharedMemory: Hashable, Sendable {
        public var key: Int
        public var id: Int
    }

    public enum Status: String, Hashable, Sendable, CaseIterable {
        case starting
        case stopping
        /// It takes connections.
        case ready
        /// A standby that takes no connections yet.
        case standby
    }

    /// Nil when the first line is no process id: the file is empty, cut short or no pid file.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count <= 1 << 16 else { return nil }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            String(decoding: line, as: UTF8.self)
        }
        guard let number = Int32(Self.trimmed(lines[0])), number != 0, number > .min else { return nil }
        func line(_ index: Int) -> String? {
            guard index < lines.count, !lines[index].isEmpty else { return nil }
            return lines[index]
        }
        pid = abs(number)
        isSingleUser = number < 0
        dataDirectory = line(1)
        startTime = line(2).flatMap { Int64($0) }.flatMap {
            (0..<253_402_300_800).contains($0) ? Timestamp(microseconds: $0 * 1_000_000) : nil
        }
        port = line(3).flatMap { UInt16($0) }
        socketDirectory = line(4)
        listenAddress = line(5)
        let numbers = line(6).map { $0.split(separator: " ").compactMap { Int($0) } } ?? []
        sharedMemory = numbers.count == 2 ? SharedMemory(key: numbers[0], id: numbers[1]) : nil
        status = line(7).flatMap { Status(rawValue: Self.trimmed($0)) }
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0 == " " }.prefix { $0 != " " && $0 != "\r" })
    }
}

/// A `PG_VERSION` file.
public enum PostgresVersionFile {
    /// The major version that a data directory belongs to; nil when the file holds no version since 10.
    public static func major(_ bytes: [UInt8]) -> Int? {
        guard bytes.count <= 16 else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard text.dropFirst(digits.count).allSatisfy({ $0.isNewline || $0 == " " }), digits.count == 2 else {
            return nil
        }
        return Int(digits).flatMap { $0 >= 10 ? $0 : nil }
    }
}
