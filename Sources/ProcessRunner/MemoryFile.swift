import CLinux
import FleetPluginAPI
import Glibc
import SystemPackage

/// A nameless file in memory, to be read from its beginning.
enum MemoryFile {
    static func make(_ bytes: [UInt8]) throws -> FileDescriptor {
        let number = linux_memfd_create("fleet-input")
        guard number >= 0 else {
            throw FleetError(.exhausted, "cannot hold a program's input", cause: Errno(rawValue: errno).description)
        }
        let file = FileDescriptor(rawValue: number)
        do {
            try file.writeAll(bytes)
            try file.seek(offset: 0, from: .start)
            return file
        } catch {
            try? file.close()
            throw error
        }
    }
}
