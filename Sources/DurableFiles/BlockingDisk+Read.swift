import FleetPluginAPI
import Glibc

extension BlockingDisk {
    /// What is at `path`; nil when nothing is.
    public static func status(_ path: String, followingLinks: Bool = false) throws -> FileStatus? {
        try checkPath(path)
        var status = stat()
        guard fstatat(AT_FDCWD, path, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { return nil }
            throw FleetError(errno: code, "cannot look at \(path)")
        }
        return FileStatus(status)
    }

    /// A whole file, or the bytes of `range`, cut at the file's end.
    ///
    /// - Throws: `exhausted` when more than `limit` bytes would be read.
    public static func read(_ path: String, range: Range<Int64>? = nil, limit: Int64 = .max) throws -> [UInt8] {
        let reader = try FileReader(path)
        let start = range?.lowerBound ?? 0
        let end = min(range?.upperBound ?? .max, max(reader.size, start))
        guard end - start <= limit else {
            throw FleetError(
                .exhausted, "\(path) is larger than the \(limit) bytes that are read of it", retriable: false)
        }
        return try reader.read(at: start, count: Int(end - start))
    }

    /// A whole file whose size the kernel does not tell, as those of /proc (proc(5)).
    public static func readUnsized(_ path: String) throws -> [UInt8] {
        let file = try Descriptor(opening: path, O_RDONLY)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try systemCall("read \(path)") { Glibc.read(file.number, &buffer, buffer.count) }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    /// A whole file; nil when there is none.
    public static func readIfPresent(_ path: String, limit: Int64 = .max) throws -> [UInt8]? {
        do {
            return try read(path, limit: limit)
        } catch let error as FleetError where error.code == .notFound {
            return nil
        }
    }

    /// Where a symbolic link points.
    public static func destination(ofLink path: String) throws -> String {
        try checkPath(path)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try systemCall("read the link \(path)") { readlink(path, &buffer, buffer.count) }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// Room on the file system that holds `path`.
    public static func space(_ path: String) throws -> FileSystemSpace {
        try checkPath(path)
        var status = statvfs()
        try systemCall("measure the file system of \(path)") { statvfs(path, &status) }
        let block = Int64(status.f_frsize)
        return FileSystemSpace(total: Int64(status.f_blocks) * block, available: Int64(status.f_bavail) * block)
    }
}

/// An open file to read from, at any place and in any order. The calls block.
public final class FileReader: Sendable {
    public let path: String
    /// Bytes, when it was opened.
    public let size: Int64
    public let status: FileStatus
    // Guarded by being immutable and closed only in deinit; pread takes its own position.
    private let file: Int32

    /// - Throws: `notFound`, `denied`; `failed` when it is not a regular file.
    public init(_ path: String) throws {
        try checkPath(path)
        file = try systemCall("open \(path)") { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        self.path = path
        var raw = stat()
        guard fstat(file, &raw) == 0 else {
            let code = errno
            close(file)
            throw FleetError(errno: code, "cannot look at \(path)")
        }
        status = FileStatus(raw)
        size = status.size
        guard status.kind == .file else {
            close(file)
            throw FleetError(.failed, "cannot read \(path)", cause: "it is not a regular file")
        }
    }

    deinit {
        close(file)
    }

    /// Up to `count` bytes from `offset` on; fewer only at the file's end.
    public func read(at offset: Int64, count: Int) throws -> [UInt8] {
        guard count > 0, offset >= 0 else { return [] }
        return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let position = off_t(offset) + off_t(filled)
                let got = try systemCall("read \(path)") { pread(file, rest.baseAddress, rest.count, position) }
                if got == 0 { break }
                filled += got
            }
        }
    }
}
