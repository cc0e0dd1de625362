import FleetPluginAPI
import Synchronization

/// Many files written with a wait for the disk per some hundred files instead of one for each. The calls block.
///
/// The group is not atomic: after a crash during `commit` some files may have their names and others not, but no file
/// that has its name is incomplete. Write what announces the group (a manifest, a catalog entry) after `commit`.
public final class WriteBatch: Sendable {
    private let state = Mutex(State())
    /// From this many files on, one `syncfs` goes before the `fsync` of each, which then has nothing left to wait for.
    private let barrierThreshold: Int
    /// Files that are kept open until they are durable.
    private let openLimit = 256

    private struct State: ~Copyable {
        var open: [FileWriter] = []
        var durable: [FileWriter] = []
    }

    public init(barrierThreshold: Int = 16) {
        self.barrierThreshold = barrierThreshold
    }

    /// Writes a file under its temporary name.
    public func write(_ bytes: [UInt8], to path: String, _ options: WriteOptions = WriteOptions()) throws {
        let writer = try FileWriter(path, options)
        try writer.append(bytes)
        try add(writer)
    }

    /// Takes over a file that has been written whole.
    public func add(_ writer: FileWriter) throws {
        try state.withLock { state in
            state.open.append(writer)
            if state.open.count >= openLimit { try makeDurable(&state) }
        }
    }

    /// Makes all content durable, then gives all files their names in the order in which they were added, then makes
    /// the names durable.
    ///
    /// - Throws: the first failure; files that have no name yet are abandoned, the others stay.
    public func commit() throws {
        try state.withLock { state in
            defer { abandon(&state) }
            try makeDurable(&state)
            for writer in state.durable { try writer.publish() }
            for directory in directories(of: state.durable) { try BlockingDisk.syncDirectory(directory) }
        }
    }

    /// Gives up: nothing is left of files that have no name yet.
    public func abandon() {
        state.withLock { abandon(&$0) }
    }

    private func abandon(_ state: inout State) {
        for writer in state.open + state.durable { writer.abandon() }
        state = State()
    }

    private func makeDurable(_ state: inout State) throws {
        if state.open.count >= barrierThreshold {
            var devices: Set<UInt64> = []
            for directory in directories(of: state.open) {
                guard let device = try BlockingDisk.status(directory, followingLinks: true)?.device else { continue }
                if devices.insert(device).inserted { try BlockingDisk.syncFileSystem(of: directory) }
            }
        }
        // syncfs tells only of failures since its descriptor was opened; fsync of the file tells of all.
        for writer in state.open {
            try writer.syncContent()
            writer.closeContent()
        }
        state.durable += state.open
        state.open = []
    }

    private func directories(of writers: [FileWriter]) -> [String] {
        Set(writers.map { parentPath(of: $0.path) }).sorted()
    }
}
