import DurableFiles

/// A directory for one test, removed after it.
struct ScratchDirectory {
    let path: String

    static func with<Result>(_ body: (ScratchDirectory) async throws -> Result) async throws -> Result {
        let path = "/tmp/fleet-files-\(UInt64.random(in: .min ... .max))"
        try BlockingDisk.makeDirectories(path, mode: 0o700)
        defer { _ = try? BlockingDisk.removeTree(path) }
        return try await body(ScratchDirectory(path: path))
    }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Every name in the directory, temporary ones too.
    func names(_ folder: String = "") throws -> [String] {
        try BlockingDisk.list(folder.isEmpty ? path : self(folder)).map(\.name)
    }
}

func text(_ path: String) throws -> String {
    String(decoding: try BlockingDisk.read(path), as: UTF8.self)
}
