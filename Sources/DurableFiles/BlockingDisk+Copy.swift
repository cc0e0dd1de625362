import CLinux
import FleetPluginAPI
import Glibc

extension BlockingDisk {
    /// Copies a file, or a directory with all that is in it, durably. Modes, times and symbolic links are kept,
    /// owners too where this process may; sockets and pipes are left out; hard links become separate files.
    ///
    /// - Throws: `alreadyExists` when `destination` is taken. What a failure leaves at `destination` is incomplete.
    public static func copyTree(_ path: String, to destination: String) throws {
        guard let status = try status(path) else {
            throw FleetError(.notFound, "cannot copy \(path)", cause: "no such file")
        }
        guard try self.status(destination) == nil else {
            throw FleetError(.alreadyExists, "\(destination) exists already")
        }
        try copy(path, status, to: destination)
        try syncFileSystem(of: parentPath(of: destination))
        try syncDirectory(parentPath(of: destination))
    }

    private static func copy(_ path: String, _ status: FileStatus, to destination: String) throws {
        switch status.kind {
        case .file: try copyFile(path, status, to: destination)
        case .symbolicLink:
            let target = try self.destination(ofLink: path)
            try systemCall("make the link \(destination)") { symlink(target, destination) }
            if geteuid() == 0 { try setOwner(status.owner, of: destination) }
        case .directory:
            try systemCall("make the directory \(destination)") { mkdir(destination, 0o700) }
            for entry in try list(path) {
                let source = "\(path)/\(entry.name)"
                guard let status = try self.status(source) else { continue }
                try copy(source, status, to: "\(destination)/\(entry.name)")
            }
            let made = try Descriptor(opening: destination, O_RDONLY | O_DIRECTORY)
            try finish(made.number, status, destination)
        case .other: break
        }
    }

    private static func copyFile(_ path: String, _ status: FileStatus, to destination: String) throws {
        let source = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW)
        let target = try Descriptor(opening: destination, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try copyBytes(from: source.number, to: target.number, path, destination)
        try finish(target.number, status, destination)
    }

    private static func copyBytes(from source: Int32, to target: Int32, _ path: String, _ destination: String) throws {
        while true {
            let count = linux_copy_file_range(source, target, 1 << 30)
            if count == 0 { return }
            if count > 0 { continue }
            switch errno {
            case EINTR: continue
            // Not between these two file systems: through memory, from where both stand now.
            case EXDEV, ENOSYS, EINVAL, EOPNOTSUPP, EPERM:
                return try copyThroughMemory(from: source, to: target, path, destination)
            case let code: throw FleetError(errno: code, "cannot copy \(path) to \(destination)")
            }
        }
    }

    private static func copyThroughMemory(
        from source: Int32, to target: Int32, _ path: String, _ destination: String
    ) throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        try buffer.withUnsafeMutableBytes { buffer in
            while true {
                let count = try systemCall("read \(path)") { Glibc.read(source, buffer.baseAddress, buffer.count) }
                if count == 0 { return }
                try writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: target, destination)
            }
        }
    }

    private static func finish(_ file: Int32, _ status: FileStatus, _ path: String) throws {
        try setAttributes(of: file, mode: status.mode, owner: geteuid() == 0 ? status.owner : nil, path)
        let seconds = Int((Double(status.modified.microseconds) / 1e6).rounded(.down))
        let time = timespec(
            tv_sec: seconds, tv_nsec: Int(status.modified.microseconds - Int64(seconds) * 1_000_000) * 1000)
        try withUnsafePointer(to: (time, time)) { pointer in
            try pointer.withMemoryRebound(to: timespec.self, capacity: 2) { times in
                _ = try systemCall("set the time of \(path)") { futimens(file, times) }
            }
        }
    }
}
