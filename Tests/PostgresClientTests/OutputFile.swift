import FleetTestSupport
import Glibc

/// A file that is written from the beginning to the end.
final class OutputFile {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FixtureError("cannot create \(path)") }
    }

    func write(_ bytes: [UInt8]) throws {
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw FixtureError("cannot write") }
    }

    deinit {
        close(descriptor)
    }
}

/// Damages a file.
func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    guard pwrite(descriptor, bytes, bytes.count, offset) == bytes.count else {
        throw FixtureError("cannot write into \(path)")
    }
}
