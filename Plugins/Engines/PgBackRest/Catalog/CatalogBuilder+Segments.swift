import FleetPluginAPI

extension CatalogBuilder {
    /// Lists every segment that is there, with its summary where that is known or can be had soon.
    mutating func addSegments() async throws {
        let located = LocatedSegment.all(in: readings)
        memory.segments = located
        keys.formUnion(located.values.map(\.memoryKey))
        var facts = try await memory.facts(located.values.map(\.memoryKey))
        // The newest first: they say how far recovery can go.
        let missing = located.values.filter { facts[$0.memoryKey] == nil }
            .sorted { ($0.file.time, $0.name) > ($1.file.time, $1.name) }
        var damaged: Set<String> = []
        for (segment, outcome) in try await fetch(missing) {
            switch outcome {
            case .success(let fact): facts[segment.memoryKey] = fact
            case .failure(let error):
                if error.code == .corrupted { damaged.insert(segment.name) }
                add(error, segment.name)
            }
        }
        let size = facts.values.lazy.compactMap(\.segmentSize).first ?? WALSegmentName.defaultSegmentSize
        if !located.isEmpty { catalog.segmentSize = size }
        // Recovery cannot read a damaged one, so it counts as missing.
        catalog.segments = located.values.filter { !damaged.contains($0.name) }.compactMap { segment in
            WALSegmentName(segment.name, segmentSize: size).map { name in
                .init(
                    name: name, archivedAt: segment.file.time, storedSize: segment.file.size,
                    summary: facts[segment.memoryKey]?.summary)
            }
        }
        catalog.segments.sort { $0.name < $1.name }
    }

    private typealias Fetched = (LocatedSegment, Result<CatalogMemory.Fact, FleetError>)

    /// Fetches as many as there is time for, at least a few; what was fetched is remembered at once, so that a look
    /// that is broken off has not been in vain.
    private func fetch(_ segments: [LocatedSegment]) async throws -> [Fetched] {
        let end = ContinuousClock.now + Self.patience
        var fetched: [Fetched] = []
        var rest = segments[...]
        while !rest.isEmpty, fetched.isEmpty || ContinuousClock.now < end {
            let some = rest.prefix(8)
            rest = rest.dropFirst(8)
            let wave = try await Work.concurrently(some) { [questions] segment -> Fetched in
                do {
                    let content = try await segment.content(questions)
                    return (segment, .success(try await Work.run { try segment.fact(content) }))
                } catch {
                    return (segment, .failure(FleetError(error, "\(segment.name) cannot be read")))
                }
            }
            await memory.add(wave.compactMap { try? $0.1.get() })
            fetched += wave
            try Task.checkCancellation()
            // Everything else would say the same.
            if wave.contains(where: { if case .failure(let error) = $0.1 { error.isSilence } else { false } }) { break }
        }
        return fetched
    }
}
