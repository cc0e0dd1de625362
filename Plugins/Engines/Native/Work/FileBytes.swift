import DurableFiles
import FleetPluginAPI
import Glibc

/// Reading and writing open files at given places. The calls block.
enum FileBytes {
    /// - Throws: `exhausted` on a full disk.
    static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, at offset: Int64, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(file, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FleetError(errno: errno, "cannot write \(path)")
            }
            done += count
        }
    }

    /// As many bytes as there are, up to the buffer's size. Returns how many.
    static func read(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int64, _ path: String) throws
        -> Int
    {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(file, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw FleetError(errno: errno, "cannot read \(path)")
            }
            if count == 0 { break }
            done += count
        }
        return done
    }
}
