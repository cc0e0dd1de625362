import Testing
import YAML

@Suite struct FuzzTests {
    private let limits = YAMLLimits(bytes: 4096, depth: 16, nodes: 500)

    /// Reads the bytes; whatever comes of it, its places lie in the document.
    private func read(_ bytes: [UInt8]) {
        let lines = 1 + bytes.count
        do {
            let node = try YAMLDocument.parse(bytes, limits: limits)
            var depth = 0
            var level = [node]
            var count = 0
            while !level.isEmpty {
                depth += 1
                count += level.count
                #expect(level.allSatisfy { $0.start.line <= lines && $0.end.column <= 1 + bytes.count })
                level = level.flatMap { ($0.sequence ?? []) + ($0.mapping ?? []).flatMap { [$0.key, $0.value] } }
            }
            #expect(depth <= limits.depth + 1)
            #expect(count <= limits.nodes)
        } catch {
            #expect(error.mark.line >= 1 && error.mark.line <= lines)
            #expect(error.mark.column >= 1 && error.mark.column <= 2 + bytes.count)
            #expect(!error.message.isEmpty)
        }
    }

    @Test func randomBytes() {
        var random = SplitMix(state: 1)
        for _ in 0..<3000 {
            read((0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    @Test func randomSyntax() {
        var random = SplitMix(state: 2)
        let tokens = [
            "a", "b: ", ": ", "- ", "? ", "\n", "\n  ", "\n    ", " ", "\t", "[", "]", "{", "}", ",", "&x ", "*x",
            "<<: ",
            "'", "\"", "|", ">-", "#", " #", "!", "!!str ", "!<", "%TAG", "---", "...", "~", "1.5", "é", "\u{FEFF}",
            "\u{2028}", "\r\n", "\r", "\\", "@", "😀",
        ]
        for _ in 0..<10_000 {
            let count = Int.random(in: 0...40, using: &random)
            let text = (0..<count).map { _ in tokens[Int.random(in: 0..<tokens.count, using: &random)] }.joined()
            read(Array(text.utf8))
        }
    }

    @Test func mutatedDocuments() {
        var random = SplitMix(state: 3)
        let original = Array((sample + "\na: &x {p: 1}\nb: {<<: *x, q: [*x, *x]}\n").utf8)
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...4, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8.random(in: 0...127, using: &random), at: place)
                case 3: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0...200, using: &random)))
                default: bytes.insert(contentsOf: bytes.prefix(place).suffix(30), at: place)
                }
            }
            read(bytes)
        }
    }

    @Test func randomValuesSurviveWriting() throws {
        var random = SplitMix(state: 4)
        for _ in 0..<300 {
            let value = value(depth: 4, &random)
            #expect(outline(try YAMLDocument.parse(value.text)) == outline(value))
        }
    }

    private func value(depth: Int, _ random: inout SplitMix) -> YAMLValue {
        let words = [
            "a", "no", "~", "", "- x", "a: b", " pad ", "#c", "1", "1e5", "é\u{85}", "tab\t", "x\ny", "'", "\"", "\0",
        ]
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &random))
        case 3, 4: return .string(words[Int.random(in: 0..<words.count, using: &random)])
        case 5:
            return .sequence((0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth - 1, &random) })
        default:
            return .mapping(
                (0..<Int.random(in: 0...3, using: &random)).map {
                    .init("\(words[$0 * 3])\($0)", value(depth: depth - 1, &random))
                })
        }
    }

    private func outline(_ value: YAMLValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .sequence(let items): "[" + items.map(outline).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\($0.key): \(outline($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    private func outline(_ node: YAMLNode) -> String { YAMLTests.outline(node) }
}
