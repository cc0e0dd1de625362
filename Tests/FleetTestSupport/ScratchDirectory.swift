import FoundationEssentials
import Glibc
import Synchronization

/// A directory of a test's own, and what must be undone when the test is over, last in first out.
public final class ScratchDirectory: Sendable {
    /// Absolute, short, traversable by everybody.
    public let path: String
    private let cleanUps = Mutex<[@Sendable () async -> Void]>([])

    /// Mode 0755, owned by the running user.
    public init() throws {
        path = RunDirectory.freshPath()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, 0o755)
    }

    /// Runs `action` when the scope ends, before whatever was registered earlier and before the directory is removed.
    public func onCleanUp(_ action: @escaping @Sendable () async -> Void) {
        cleanUps.withLock { $0.append(action) }
    }

    /// Undoes everything registered, then removes the directory. Calling it again does nothing.
    public func cleanUp() async {
        while let action = cleanUps.withLock({ $0.popLast() }) {
            await action()
        }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Creates a directory in this one and returns its path. With `owner`, it belongs to that user.
    @discardableResult
    public func directory(_ name: String, mode: UInt32 = 0o755, owner: ServerOwner? = nil) throws -> String {
        let path = path(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        chmod(path, mode)
        if let owner { try owner.own(path) }
        return path
    }

    /// The path of `name` in this directory; nothing is created.
    public func path(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file into this directory and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let path = path(name)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }
}

/// Lends a scratch directory; cleans up however `body` ends.
public func withScratch<Result>(_ body: (ScratchDirectory) async throws -> Result) async throws -> Result {
    let scratch = try ScratchDirectory()
    do {
        let result = try await body(scratch)
        await scratch.cleanUp()
        return result
    } catch {
        await scratch.cleanUp()
        throw error
    }
}
