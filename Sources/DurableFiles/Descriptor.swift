import FleetPluginAPI
import Glibc

/// An open file, closed when it goes out of scope.
struct Descriptor: ~Copyable {
    let number: Int32

    init(opening path: String, _ flags: Int32, mode: mode_t = 0) throws {
        try checkPath(path)
        number = try systemCall("open \(path)") { open(path, flags | O_CLOEXEC, mode) }
    }

    init(opening name: String, in directory: Int32, _ flags: Int32, as path: String) throws {
        number = try systemCall("open \(path)") { openat(directory, name, flags | O_CLOEXEC) }
    }

    deinit {
        close(number)
    }
}

/// A path that the kernel would cut or misread is refused.
func checkPath(_ path: String) throws {
    guard !path.isEmpty, !path.utf8.contains(0) else {
        throw FleetError(.usage, "a path is empty or contains a NUL byte")
    }
}

/// The directory that holds `path`: `.` for a bare name.
package func parentPath(of path: String) -> String {
    let trimmed = trimmingSlashes(path)
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    let parent = trimmingSlashes(String(trimmed[..<slash]))
    return parent.isEmpty ? "/" : parent
}

/// The last component of `path`.
package func lastName(of path: String) -> String {
    let trimmed = trimmingSlashes(path)
    guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return trimmed }
    return String(trimmed[trimmed.utf8.index(after: slash)...])
}

private func trimmingSlashes(_ path: String) -> String {
    var path = Substring(path)
    while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    return String(path)
}
