/// Absolute paths as text.
enum FilePathText {
    /// Without doubled slashes and one at its end.
    static func normal(_ path: String) -> String {
        "/" + path.split(separator: "/").joined(separator: "/")
    }

    /// What follows `directory` in `path`, without a slash at its beginning; empty for the directory itself, nil for
    /// what lies elsewhere.
    static func relative(_ path: String, to directory: String) -> String? {
        let (path, directory) = (normal(path), normal(directory))
        if path == directory { return "" }
        let prefix = directory == "/" ? "/" : directory + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    static func joined(_ parts: String...) -> String {
        normal(parts.joined(separator: "/"))
    }
}
