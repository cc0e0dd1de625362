import Glibc

/// What `/proc/PID/stat` says (proc_pid_stat(5)).
struct ProcessStat {
    var pid: Int32
    var state: UInt8
    var session: Int32
    var startTicks: UInt64

    /// A zombie, or dead.
    var hasEnded: Bool { [UInt8(ascii: "Z"), UInt8(ascii: "X"), UInt8(ascii: "x")].contains(state) }

    init?(pid: Int32) {
        guard let text = Self.read("/proc/\(pid)/stat") else { return nil }
        self.init(text)
    }

    /// The program's name stands in parentheses and may contain anything, parentheses and spaces too.
    init?(_ text: String) {
        guard let open = text.utf8.firstIndex(of: UInt8(ascii: "(")),
            let close = text.utf8.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let fields = text[close...].dropFirst().split(separator: " ")
        // The state is field 3 of the file and the first here.
        guard fields.count >= 20, let pid = Int32(text[..<open].filter { $0 != " " }), let state = fields[0].utf8.first,
            let session = Int32(fields[3]), let startTicks = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.state = state
        self.session = session
        self.startTicks = startTicks
    }

    static let bootID: String =
        read("/proc/sys/kernel/random/boot_id")
        .map { String($0.prefix { !$0.isNewline }) } ?? ""

    /// Every process there is.
    static func all() -> [ProcessStat] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [ProcessStat] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name), let status = ProcessStat(pid: pid) { found.append(status) }
        }
        return found
    }

    /// Files of the kernel answer at once and in one read.
    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}
