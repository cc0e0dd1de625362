import FleetTestSupport
import FoundationEssentials
import Glibc

/// Damages a file in place, owner and mode unchanged.
struct FileHandleForDamage {
    let path: String

    init(_ path: String) throws {
        guard access(path, W_OK) == 0 else { throw FixtureError("there is no \(path)") }
        self.path = path
    }

    func flip(at offset: Int) {
        let file = open(path, O_RDWR)
        defer { close(file) }
        var byte: UInt8 = 0
        pread(file, &byte, 1, offset)
        byte ^= 0xFF
        pwrite(file, &byte, 1, offset)
    }

    func cut(to size: Int) { truncate(path, size) }
}
