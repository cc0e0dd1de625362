import Glibc

/// Finds programs as a shell would.
public enum ExecutableSearch {
    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The absolute path of an executable file: `name` itself when it has a slash, else the first of its name in
    /// `path` (this process's `PATH` when nil). Relative entries of `PATH` are passed over.
    public static func find(_ name: String, in path: String? = nil) -> String? {
        guard !name.isEmpty else { return nil }
        if name.utf8.contains(UInt8(ascii: "/")) { return isExecutable(name) ? name : nil }
        let path = path ?? getenv("PATH").map { String(cString: $0) } ?? standardPath
        for directory in path.split(separator: ":") where directory.hasPrefix("/") {
            let candidate = "\(directory)/\(name)"
            if isExecutable(candidate) { return candidate }
        }
        return nil
    }

    private static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return fstatat(AT_FDCWD, path, &status, 0) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
