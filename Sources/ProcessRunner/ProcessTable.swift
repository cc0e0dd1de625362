import Glibc

/// A process as `/proc/PID/stat` shows it; proc(5).
public struct ProcessEntry: Hashable, Sendable {
    public var pid: Int32
    public var parent: Int32
    public var group: Int32
    public var session: Int32
    /// `R`, `S`, `D`, `T` (stopped), `Z` (dead, not yet waited for), …
    public var state: Character
    /// When it started, in clock ticks since boot: a pid with another start is another process.
    public var startTicks: UInt64
    /// The first 15 bytes of the program's name.
    public var name: String

    /// Whether it still does anything: a zombie does not.
    public var isAlive: Bool { state != "Z" && state != "X" }
}

/// Linux's table of processes. The calls read `/proc`, which does not wait for disks.
public enum ProcessTable {
    /// Nil when there is no such process.
    public static func entry(_ pid: Int32) -> ProcessEntry? {
        contents("/proc/\(pid)/stat").flatMap(parse)
    }

    /// Every process that can be seen from here, in no order.
    public static func all() -> [ProcessEntry] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var entries: [ProcessEntry] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let pid = Int32(name), let found = self.entry(pid) else { continue }
            entries.append(found)
        }
        return entries
    }

    /// The path of the program; nil when it is not ours to know. A program that was replaced or removed keeps its path.
    public static func executable(_ pid: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/\(pid)/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer.prefix(count), as: UTF8.self)
        let removed = " (deleted)"
        return path.hasSuffix(removed) ? String(path.dropLast(removed.count)) : path
    }

    /// The command line; empty for kernel threads and zombies.
    public static func arguments(_ pid: Int32) -> [String] {
        guard let bytes = contents("/proc/\(pid)/cmdline"), !bytes.isEmpty else { return [] }
        let body = bytes.last == 0 ? bytes.dropLast() : bytes[...]
        return body.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What the process was given as an environment variable when it was started; nil when it has none of this name or
    /// when that is not ours to know.
    public static func variable(_ name: String, of pid: Int32) -> String? {
        guard let bytes = contents("/proc/\(pid)/environ") else { return nil }
        let prefix = Array("\(name)=".utf8)
        let found = bytes.split(separator: 0).first { $0.starts(with: prefix) }
        return found.map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
    }

    /// Every process that has this variable in its environment: children inherit it, in whatever session they are.
    public static func all(withVariable name: String, _ value: String) -> [ProcessEntry] {
        all().filter { $0.isAlive && variable(name, of: $0.pid) == value }
    }

    /// How long ago it started; nil when the machine does not say.
    public static func age(of entry: ProcessEntry) -> Duration? {
        var now = timespec()
        let ticks = UInt64(clamping: sysconf(Int32(_SC_CLK_TCK)))
        guard ticks > 0, clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
        let start = Duration.milliseconds(Int64(entry.startTicks * 1000 / ticks))
        return .seconds(Int64(now.tv_sec)) + .nanoseconds(Int64(now.tv_nsec)) - start
    }

    static func parse(_ bytes: [UInt8]) -> ProcessEntry? {
        // The name stands in parentheses and may hold any bytes, parentheses and spaces included.
        guard let open = bytes.firstIndex(of: UInt8(ascii: "(")), let end = bytes.lastIndex(of: UInt8(ascii: ")")),
            open < end, let pid = Int32(String(decoding: bytes[..<open], as: UTF8.self).filter { $0 != " " })
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 20, let state = fields[0].first, let parent = Int32(fields[1]),
            let group = Int32(fields[2]), let session = Int32(fields[3]), let start = UInt64(fields[19])
        else { return nil }
        return ProcessEntry(
            pid: pid, parent: parent, group: group, session: session, state: state, startTicks: start,
            name: String(decoding: bytes[(open + 1)..<end], as: UTF8.self))
    }

    private static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count < 0 {
                // ESRCH: it ended after the file was opened.
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
    }
}
