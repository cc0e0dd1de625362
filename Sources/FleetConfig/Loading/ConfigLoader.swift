public import FleetPluginAPI
internal import SystemPackage
internal import YAML

/// Reads fleet.yaml.
public struct ConfigLoader: Sendable {
    private let plugins: PluginCatalog
    private let home: String?

    /// What a fleet.yaml may cost at most; thousands of instances are far below it.
    static let limits = YAMLLimits(bytes: 4 << 20, depth: 64, nodes: 250_000)

    /// - Parameters:
    ///   - descriptors: the plugins that the file may name.
    ///   - home: what `~` stands for; the user's home when nil.
    public init(descriptors: [PluginDescriptor], home: String? = nil) {
        plugins = PluginCatalog(descriptors)
        self.home = home ?? PathResolver.homeOfUser
    }

    /// The configuration in the file at `path`. Reads the file before it returns: call it where blocking does no harm.
    ///
    /// - Throws: `ConfigurationError` with every mistake in it; `FleetError.configuration` when the file cannot be read.
    public func load(path: String) throws -> FleetConfiguration {
        try load(Self.read(path), path: path)
    }

    /// The configuration in `bytes`, as if they were the file at `path`.
    ///
    /// - Throws: every mistake at once.
    public func load(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> FleetConfiguration {
        let file = PathResolver.file(path)
        let root: YAMLNode
        do {
            root = try YAMLDocument.parse(bytes, limits: Self.limits)
        } catch {
            throw ConfigurationError(
                file: path,
                diagnostics: [
                    Diagnostic(
                        file: path, line: error.mark.line, column: error.mark.column, path: "", message: error.message,
                        hint: error.hint)
                ])
        }
        let paths = PathResolver(folder: PathResolver.folder(of: file), home: home)
        var validator = Validator(file: path, paths: paths, plugins: plugins, root: root)
        let normal = validator.document()
        guard validator.diagnostics.isEmpty else {
            throw ConfigurationError(file: path, diagnostics: validator.sortedDiagnostics)
        }
        return FleetConfiguration(normal: normal, path: file, source: bytes)
    }

    private static func read(_ path: String) throws(FleetError) -> [UInt8] {
        do {
            // Not blocking, so that a pipe without a writer is an empty file and not a wait.
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
            return try file.closeAfter {
                var bytes = [UInt8](repeating: 0, count: limits.bytes + 1)
                var count = 0
                while count < bytes.count {
                    let read = try bytes.withUnsafeMutableBytes { buffer in
                        try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                    }
                    if read == 0 { break }
                    count += read
                }
                return Array(bytes.prefix(count))
            }
        } catch {
            let hint = (error as? Errno) == .noSuchFileOrDirectory ? "name it with --config PATH" : nil
            throw FleetError(
                .configuration, "the file \(path) cannot be read", cause: String(describing: error), hint: hint)
        }
    }
}

extension Validator {
    /// In the order of the file.
    var sortedDiagnostics: [Diagnostic] {
        let sorted = diagnostics.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
        guard hasMore, let last = sorted.last else { return sorted }
        return sorted + [
            Diagnostic(
                file: last.file, line: last.line, column: last.column, path: "",
                message: "there are more mistakes; only \(sorted.count) are shown")
        ]
    }

    /// The whole document in normal form; right only when there are no diagnostics then.
    mutating func document() -> JSONValue {
        let place = Place(mark: .start, path: DocumentPath())
        if reportsForeignDocument(place) { return .object([:]) }
        guard root.mapping != nil else {
            let message = root.isNull ? "the file is empty" : "expected a mapping, found \(found(root))"
            report(
                place, message,
                "begin it with apiVersion: \(FleetSchema.apiVersion) and kind: \(FleetSchema.kind)")
            return .object([:])
        }
        let normal = object(root, FleetSchema.root, place)
        checkReferences()
        checkRepositories()
        checkChecks()
        checkStages()
        checkOrder()
        checkRestoreSets()
        return normal ?? .object([:])
    }
}
