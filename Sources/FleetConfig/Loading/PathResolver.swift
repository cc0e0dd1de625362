#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Makes paths of fleet.yaml absolute.
struct PathResolver: Sendable {
    /// Absolute path of the folder that relative paths start from.
    var folder: String
    /// What `~` stands for.
    var home: String?

    struct Problem: Error {
        var message: String
        var hint: String?
    }

    /// `..` stays as it is: through a symbolic link it leads elsewhere than the text shows.
    func absolute(_ text: String) -> Result<String, Problem> {
        guard !text.isEmpty else { return .failure(Problem(message: "the path is empty")) }
        guard text.hasPrefix("~") else {
            return .success(Self.tidied(text.hasPrefix("/") ? text : folder + "/" + text))
        }
        guard text == "~" || text.hasPrefix("~/") else {
            return .failure(Problem(message: "~ with a user's name is not understood", hint: "write the path in full"))
        }
        guard let home, home.hasPrefix("/") else {
            return .failure(Problem(message: "~ stands for nothing: HOME is not set", hint: "write the path in full"))
        }
        return .success(Self.tidied(home + text.dropFirst()))
    }

    /// Without `.` and empty components.
    private static func tidied(_ path: String) -> String {
        "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// Absolute path of the file that is named `path` here.
    static func file(_ path: String) -> String {
        tidied(path.hasPrefix("/") ? path : workingDirectory + "/" + path)
    }

    /// The folder that a file at an absolute path is in.
    static func folder(of file: String) -> String {
        let folder = file[..<(file.lastIndex(of: "/") ?? file.startIndex)]
        return folder.isEmpty ? "/" : String(folder)
    }

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    static var homeOfUser: String? {
        getenv("HOME").map { String(cString: $0) }
    }
}
