import FleetPluginAPI
import Glibc

extension BlockingDisk {
    /// Calls `body` with every name in a directory except `.` and `..`, in no order, as they are read.
    ///
    /// A name that is not UTF-8 is left out: it cannot be written as a path here.
    public static func forEachEntry(
        of path: String, followingLinks: Bool = false, _ body: (DirectoryEntry) throws -> Void
    ) throws {
        try checkPath(path)
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW)
        let number = try systemCall("list \(path)") { open(path, flags) }
        guard let stream = fdopendir(number) else {
            let code = errno
            close(number)
            throw FleetError(errno: code, "cannot list \(path)")
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let code = errno
                guard code == 0 else { throw FleetError(errno: code, "cannot list \(path)") }
                return
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let name, name != ".", name != ".." else { continue }
            guard let kind = try kind(of: entry.pointee.d_type, name, in: number, path) else { continue }
            try body(DirectoryEntry(name: name, kind: kind))
        }
    }

    /// The names in a directory, sorted by their bytes.
    public static func list(_ path: String, followingLinks: Bool = false) throws -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        try forEachEntry(of: path, followingLinks: followingLinks) { entries.append($0) }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The first `limit` names after `name`, sorted by their bytes. Reads the whole directory but keeps only a page
    /// of it in memory.
    public static func page(_ path: String, after name: String?, limit: Int) throws -> [DirectoryEntry] {
        var smallest = SmallestElements<DirectoryEntry>(limit: limit) {
            $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }
        try forEachEntry(of: path) { entry in
            if let name, !name.utf8.lexicographicallyPrecedes(entry.name.utf8) { return }
            smallest.insert(entry)
        }
        return smallest.sorted()
    }

    /// Nil for a name that is gone again.
    private static func kind(of type: UInt8, _ name: String, in directory: Int32, _ path: String) throws -> FileKind? {
        switch Int(type) {
        case Int(DT_REG): return .file
        case Int(DT_DIR): return .directory
        case Int(DT_LNK): return .symbolicLink
        case Int(DT_UNKNOWN):
            var status = stat()
            guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                let code = errno
                if code == ENOENT { return nil }
                throw FleetError(errno: code, "cannot look at \(path)/\(name)")
            }
            return FileKind(mode: status.st_mode)
        default: return .other
        }
    }
}

/// The smallest elements of a long sequence, kept in memory proportional to their limit.
package struct SmallestElements<Element> {
    private let limit: Int
    private let precedes: (Element, Element) -> Bool
    private var elements: [Element] = []
    private var largest: Element?

    package init(limit: Int, by precedes: @escaping (Element, Element) -> Bool) {
        self.limit = max(0, limit)
        self.precedes = precedes
    }

    package mutating func insert(_ element: Element) {
        if let largest, precedes(largest, element) { return }
        elements.append(element)
        if elements.count >= 2 * limit + 64 { cut() }
    }

    package func sorted() -> [Element] {
        Array(elements.sorted(by: precedes).prefix(limit))
    }

    private mutating func cut() {
        elements = sorted()
        largest = elements.last
    }
}
