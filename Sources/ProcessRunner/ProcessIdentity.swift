import CLinux
import FleetPluginAPI
import Glibc
import SystemPackage

/// One process and no other, over crashes and restarts of whoever remembers it: its pid, when it was started, and in
/// which boot of the machine. A pid alone may be another process by the time it is looked at.
public struct ProcessIdentity: Hashable, Sendable, Codable {
    public var pid: Int32
    /// Clock ticks after boot (`/proc/PID/stat`, field 22).
    public var startTicks: UInt64
    /// `/proc/sys/kernel/random/boot_id`.
    public var boot: String

    public init(pid: Int32, startTicks: UInt64, boot: String) {
        self.pid = pid
        self.startTicks = startTicks
        self.boot = boot
    }

    /// The process that has this pid now; nil when there is none.
    public init?(pid: Int32) {
        guard pid > 0, let status = ProcessStat(pid: pid) else { return nil }
        self.init(pid: pid, startTicks: status.startTicks, boot: ProcessStat.bootID)
    }

    public static var current: ProcessIdentity? { ProcessIdentity(pid: getpid()) }

    /// Whether it still runs. A process that has ended and waits for its parent does not.
    public var isAlive: Bool {
        guard boot == ProcessStat.bootID, let status = ProcessStat(pid: pid) else { return false }
        return status.startTicks == startTicks && !status.hasEnded
    }

    /// Sends a signal to this process and never to a later one with its pid. Returns whether it was there.
    ///
    /// - Throws: `denied`.
    @discardableResult
    public func signal(_ number: Int32) throws -> Bool {
        guard let descriptor = try open() else { return false }
        defer { try? descriptor.close() }
        if linux_pidfd_send_signal(descriptor.rawValue, number) == 0 { return true }
        return try Self.outcome(of: errno, pid)
    }

    /// Processes of the session that this one leads or led, itself included while it runs.
    public func sessionMembers() -> [ProcessIdentity] {
        guard boot == ProcessStat.bootID else { return [] }
        // While a session has members the kernel gives its leader's pid to nobody else.
        if let leader = ProcessStat(pid: pid), leader.startTicks != startTicks { return [] }
        return ProcessStat.all().compactMap { status in
            guard status.session == pid, !status.hasEnded else { return nil }
            return ProcessIdentity(pid: status.pid, startTicks: status.startTicks, boot: boot)
        }
    }

    /// Waits until it has ended.
    ///
    /// - Throws: `timedOut` after `deadline`; `CancellationError`.
    public func waitGone(deadline: Duration) async throws {
        guard let descriptor = try open() else { return }
        defer { try? descriptor.close() }
        let ended = try await DescriptorWatcher.shared.awaitReadable(descriptor.rawValue, deadline: deadline)
        guard ended || !isAlive else {
            throw FleetError(.timedOut, "process \(pid) still runs after \(DurationText.text(deadline))")
        }
    }

    /// A descriptor of this very process; nil when it has ended.
    private func open() throws -> FileDescriptor? {
        guard isAlive else { return nil }
        let number = linux_pidfd_open(pid)
        guard number >= 0 else {
            _ = try Self.outcome(of: errno, pid)
            return nil
        }
        let descriptor = FileDescriptor(rawValue: number)
        // Looked at again: the pid may have changed hands before it was opened, and cannot any more.
        guard isAlive else {
            try? descriptor.close()
            return nil
        }
        return descriptor
    }

    private static func outcome(of code: Int32, _ pid: Int32) throws -> Bool {
        if code == ESRCH { return false }
        let kind: FleetError.Code = code == EPERM ? .denied : .failed
        throw FleetError(kind, "cannot reach process \(pid)", cause: Errno(rawValue: code).description)
    }
}
