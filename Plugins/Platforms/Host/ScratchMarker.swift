import DurableFiles
import FleetPluginAPI
import FoundationEssentials

/// A file that says of a directory that fleet made it for a scratch instance and may remove it.
struct ScratchMarker: Codable, Hashable, Sendable {
    var name: String
    var source: String
    var owner: String
    var port: Int
    var socketDirectory: String
    /// The directory was there before, empty.
    var wasThere: Bool

    static let fileName = "fleet-scratch.json"

    /// Nil when there is none. Blocks.
    ///
    /// - Throws: `corrupted`.
    static func read(in directory: String) throws -> ScratchMarker? {
        let path = "\(directory)/\(fileName)"
        guard let bytes = try BlockingDisk.readIfPresent(path, limit: 65_536) else { return nil }
        do {
            return try JSONDecoder().decode(ScratchMarker.self, from: Data(bytes))
        } catch {
            throw FleetError(.corrupted, "\(path) cannot be read", cause: "\(error)")
        }
    }

    func write(in directory: String) throws {
        let options = WriteOptions(replaces: false, mode: 0o644, directoryMode: nil)
        try BlockingDisk.write([UInt8](JSONEncoder().encode(self)), to: "\(directory)/\(Self.fileName)", options)
    }
}
