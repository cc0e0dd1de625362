import FleetConfig
import FleetPluginAPI
import Testing

@Suite struct FuzzTests {
    /// Whatever comes of it: no crash, places in the file, and what is accepted can be extracted and read back.
    private func read(_ bytes: [UInt8]) throws {
        do {
            let fleet = try ConfigLoader(descriptors: descriptors, home: "/home/ann").load(bytes, path: "/f")
            for (name, instance) in fleet.instances {
                let again = try load(fleet.extract(instance: name))
                #expect(again.instances[name] == instance)
            }
        } catch let error as ConfigurationError {
            #expect(!error.diagnostics.isEmpty)
            #expect(error.diagnostics.allSatisfy { $0.line >= 1 && $0.column >= 1 && !$0.message.isEmpty })
            #expect(error.diagnostics.allSatisfy { !$0.description.contains("\n") })
        }
    }

    @Test func mutatedBytes() throws {
        var random = SplitMix(state: 7)
        let original = Array(design.utf8)
        for _ in 0..<600 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...127, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(12), at: place)
                }
            }
            try read(bytes)
        }
    }

    /// Words take each other's places: right syntax, wrong sense.
    @Test func shuffledWords() throws {
        var random = SplitMix(state: 8)
        let words = design.split(omittingEmptySubsequences: false) { " {}[],:\n".contains($0) }.filter { !$0.isEmpty }
        let others = [
            "", "~", "null", "[]", "{}", "yes", "1", "1.5", "true", "'x'", "[a, b]", "{a: b}", "\"\\u0085\\t\"",
        ]
        for _ in 0..<600 {
            var text = Substring(design)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let word = words[Int.random(in: 0..<words.count, using: &random)]
                let other =
                    Bool.random(using: &random)
                    ? String(words[Int.random(in: 0..<words.count, using: &random)])
                    : others[Int.random(in: 0..<others.count, using: &random)]
                let parts = text.split(separator: word, maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2 { text = parts[0] + other[...] + parts[1] }
            }
            try read(Array(text.utf8))
        }
    }
}
