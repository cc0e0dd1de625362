/// Files and directories, durably, without blocking the caller's thread. What each call promises is said at its
/// namesake in `BlockingDisk`.
public struct Disk: Sendable {
    public let executor: DiskExecutor

    public init(executor: DiskExecutor = .shared) {
        self.executor = executor
    }

    /// Several blocking calls in one go, on a disk thread.
    public func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await executor.run(work)
    }

    public func write(_ bytes: [UInt8], to path: String, _ options: WriteOptions = WriteOptions()) async throws {
        try await run { try BlockingDisk.write(bytes, to: path, options) }
    }

    public func append(_ bytes: [UInt8], to path: String, _ options: WriteOptions = WriteOptions()) async throws {
        try await run { try BlockingDisk.append(bytes, to: path, options) }
    }

    public func read(_ path: String, range: Range<Int64>? = nil, limit: Int64 = .max) async throws -> [UInt8] {
        try await run { try BlockingDisk.read(path, range: range, limit: limit) }
    }

    public func readIfPresent(_ path: String, limit: Int64 = .max) async throws -> [UInt8]? {
        try await run { try BlockingDisk.readIfPresent(path, limit: limit) }
    }

    public func status(_ path: String, followingLinks: Bool = false) async throws -> FileStatus? {
        try await run { try BlockingDisk.status(path, followingLinks: followingLinks) }
    }

    public func list(_ path: String, followingLinks: Bool = false) async throws -> [DirectoryEntry] {
        try await run { try BlockingDisk.list(path, followingLinks: followingLinks) }
    }

    public func page(_ path: String, after name: String?, limit: Int) async throws -> [DirectoryEntry] {
        try await run { try BlockingDisk.page(path, after: name, limit: limit) }
    }

    public func makeDirectories(_ path: String, mode: UInt32 = 0o750, owner: FileOwner? = nil) async throws {
        try await run { try BlockingDisk.makeDirectories(path, mode: mode, owner: owner) }
    }

    @discardableResult
    public func remove(_ path: String) async throws -> Bool {
        try await run { try BlockingDisk.remove(path) }
    }

    @discardableResult
    public func removeTree(_ path: String) async throws -> Bool {
        try await run { try BlockingDisk.removeTree(path) }
    }

    public func removeContents(of path: String) async throws {
        try await run { try BlockingDisk.removeContents(of: path) }
    }

    public func rename(_ path: String, to destination: String, replaces: Bool = false) async throws {
        try await run { try BlockingDisk.rename(path, to: destination, replaces: replaces) }
    }

    public func copyTree(_ path: String, to destination: String) async throws {
        try await run { try BlockingDisk.copyTree(path, to: destination) }
    }

    public func setMode(_ mode: UInt32, of path: String) async throws {
        try await run { try BlockingDisk.setMode(mode, of: path) }
    }

    public func setOwner(_ owner: FileOwner, of path: String) async throws {
        try await run { try BlockingDisk.setOwner(owner, of: path) }
    }

    public func space(_ path: String) async throws -> FileSystemSpace {
        try await run { try BlockingDisk.space(path) }
    }
}
