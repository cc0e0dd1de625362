import FleetPluginAPI

/// The packs that some manifests refer to, each once, and what is expected in them.
struct PackTable: Sendable {
    struct Pack: Sendable {
        var entry: PackEntry
        /// With `pack` set to 0, as `PackContents` has them.
        var chunks: Set<ChunkReference>
    }

    private(set) var packs: [Pack] = []
    private var index: [String: Int] = [:]

    /// Adds what a manifest refers to. Returns where it contradicts those added before.
    mutating func add(_ manifest: Manifest) -> [FleetError] {
        var findings: [FleetError] = []
        let places = manifest.packs.map { entry in
            if let place = index[entry.id] {
                if packs[place].entry != entry {
                    findings.append(
                        FleetError(
                            .corrupted, "two manifests disagree about the pack \(entry.id)",
                            cause: "one of them is \(manifest.header.label)"))
                }
                return place
            }
            packs.append(Pack(entry: entry, chunks: []))
            index[entry.id] = packs.count - 1
            return packs.count - 1
        }
        for chunk in manifest.chunks {
            var bare = chunk
            bare.pack = 0
            packs[places[Int(chunk.pack)]].chunks.insert(bare)
        }
        return findings
    }
}
