import Crypto
import FleetPluginAPI
import HTTPClient

/// Finds out how a server behaves, with objects that are thrown away.
struct Probe {
    let storage: S3Storage

    /// Trial objects begin with it, below the repository's prefix.
    static let prefix = ".fleet-probe-"
    private static let writers = UInt8(4)

    /// - Throws: what keeps it from being found out: the bucket is missing, denied, not reached.
    func run() async throws -> (Capabilities, server: String) {
        let stem = storage.settings.prefix + Self.prefix + String(UInt64.random(in: .min ... .max), radix: 16)
        // Byte by byte `-` comes before `/`; in a walk over directories it does not.
        let (object, below) = ("\(stem)-a", "\(stem)/b")
        do {
            let found = try await find(object, below, stem)
            await remove(object, below)
            return found
        } catch {
            await remove(object, below)
            throw error
        }
    }

    private func find(_ object: String, _ below: String, _ stem: String) async throws -> (Capabilities, server: String)
    {
        let winners = try await race(for: object)
        try await storage.put(.init(key: below, bytes: [1], isConditional: false, isTrial: true))
        let (bytes, answer) = try await storage.read(object, range: nil, .least)
        let tag = answer.headers["etag"].map(Download.unquoted)
        var capabilities = Capabilities.least
        capabilities.etagIsMD5 = tag == PercentEncoding.hex(Insecure.MD5.hash(data: bytes))
        capabilities.conditionalCreate = winners.count == 1 && bytes == winners.first.map(content)
        let page = try await storage.bucketPage(stem, after: nil, nil, limit: 10)
        capabilities.listsInOrder = page.objects.map(\.key) == [object, below]
        return (capabilities, StorageMarker.server(answer))
    }

    /// Several writers create one object at once; those who were told that they did.
    private func race(for object: String) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: UInt8?.self) { group in
            for writer in 0..<Self.writers {
                group.addTask {
                    do {
                        try await storage.put(
                            .init(key: object, bytes: content(writer), isConditional: true, isTrial: true))
                        return writer
                    } catch let error as FleetError where error.code == .alreadyExists {
                        return nil
                    } catch let error as FleetError where [.unsupported, .failed].contains(error.code) {
                        // It does not know the condition. Without the object there is nothing to look at.
                        try await storage.put(
                            .init(key: object, bytes: content(writer), isConditional: false, isTrial: true))
                        return nil
                    }
                }
            }
            return try await group.reduce(into: []) { winners, writer in if let writer { winners.append(writer) } }
        }
    }

    private func content(_ writer: UInt8) -> [UInt8] { Array("fleet tries the server out: \(writer)".utf8) }

    private func remove(_ keys: String...) async {
        // Where deleting is denied they stay until somebody may: they are in nobody's way.
        for key in keys { try? await storage.remove(key) }
    }
}
