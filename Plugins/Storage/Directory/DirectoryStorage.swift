import DurableFiles
public import FleetPluginAPI

/// Objects as files under a directory: a key is a path below it.
///
/// The directory must have been made by `prepare`, which leaves a marker in it. Without the marker every call is
/// `unavailable`: a disk that is not mounted must not look like an empty repository.
public struct DirectoryStorage: Storage {
    let root: String
    let name: String
    let ownerName: String?
    let disk = Disk()

    static let marker = ".fleet-storage"

    public static let descriptor = PluginDescriptor(
        role: .storage, name: "directory", version: "1.0.0",
        summary: "Keeps a repository in a directory of this host: a local disk or a mounted file system.",
        options: [
            OptionSpec("path", .path, required: true, help: "The directory. It is made when it is first prepared."),
            OptionSpec(
                "owner", .string,
                help: """
                    The user whom the repository belongs to when fleet, running as root, makes it. Without it: the \
                    user who makes it. Root gives everything it stores to the owner of the directory.
                    """),
        ])

    public init(_ context: PluginContext, _ options: PluginOptions) throws {
        try self.init(name: context.name, root: options.required("path"), owner: options.string("owner"))
    }

    /// - Parameter root: absolute.
    public init(name: String, root: String, owner: String? = nil) throws {
        guard root.utf8.first == UInt8(ascii: "/") else {
            throw FleetError(.configuration, "the path of repository \(name) is not absolute")
        }
        self.name = name
        self.root = root
        self.ownerName = owner
    }

    public var features: StorageFeatures { StorageFeatures(conditionalCreate: true) }

    public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
        try await perform("store \(key)") {
            try StorageKey.check(key)
            let options = try placement(replacing: condition == .any)
            do {
                try BlockingDisk.write(bytes, to: path(key), options)
            } catch let error as FleetError where error.code == .alreadyExists {
                // A file where a directory would be, too, exists already, but is not this key.
                if condition == .absent, try BlockingDisk.status(path(key)) != nil { throw error }
                throw FleetError(.failed, error.message, cause: "a part of the key is taken by an object")
            }
        }
    }

    public func get(_ key: String, range: Range<Int64>?) async throws -> [UInt8] {
        try await perform("read \(key)") {
            try StorageKey.check(key)
            do {
                return try BlockingDisk.read(path(key), range: range)
            } catch let error as FleetError {
                // After the failure, so that a read costs nothing more when all is well.
                try checkRoot()
                if error.code == .failed, try BlockingDisk.status(path(key))?.kind == .directory {
                    throw FleetError(.notFound, "there is no object \(key)")
                }
                throw error
            }
        }
    }

    public func head(_ key: String) async throws -> StoredObject? {
        try await perform("look at \(key)") {
            try StorageKey.check(key)
            guard let status = try BlockingDisk.status(path(key)), status.kind == .file else {
                try checkRoot()
                return nil
            }
            return StoredObject(key: key, size: status.size, modified: status.modified)
        }
    }

    public func delete(_ key: String) async throws {
        try await perform("delete \(key)") {
            try StorageKey.check(key)
            try checkRoot()
            guard try BlockingDisk.status(path(key))?.kind != .directory else { return }
            if try BlockingDisk.remove(path(key)) { try pruneParents(of: key) }
        }
    }

    public func usage() async throws -> StorageUsage {
        try await perform("measure") {
            try checkRoot()
            let space = try BlockingDisk.space(root)
            return StorageUsage(free: space.available, total: space.total)
        }
    }

    func path(_ key: String) -> String { "\(root)/\(key)" }

    /// Runs blocking work and says in its errors which repository it was for.
    func perform<Result: Sendable>(_ activity: String, _ work: @escaping @Sendable () throws -> Result) async throws
        -> Result
    {
        do {
            return try await disk.run(work)
        } catch let error as FleetError {
            throw error.during("repository \(name): cannot \(activity)")
        }
    }

    /// Empty directories are not part of what is stored. One that another writer needs again is made again by it.
    private func pruneParents(of key: String) throws {
        var components = key.split(separator: "/").dropLast()
        while !components.isEmpty {
            do {
                try BlockingDisk.removeEmptyDirectory(path(components.joined(separator: "/")))
            } catch let error as FleetError where error.code == .alreadyExists || error.code == .conflict {
                return
            }
            components = components.dropLast()
        }
    }
}
