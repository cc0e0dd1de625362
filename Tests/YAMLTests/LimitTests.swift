import Testing
import YAML

@Suite struct LimitTests {
    @Test func size() throws {
        let error = try failure("a: 1\nb: 2\n", limits: YAMLLimits(bytes: 7))
        #expect(error.kind == .limit)
        #expect(error.mark == YAMLMark(line: 2, column: 3))
    }

    @Test func nodes() throws {
        let error = try failure("[a, b,\n c, d]", limits: YAMLLimits(nodes: 3))
        #expect(error.kind == .limit)
        #expect(error.mark == YAMLMark(line: 2, column: 5))
        _ = try YAMLDocument.parse("[a, b,\n c, d]", limits: YAMLLimits(nodes: 5))
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "[{a: "])
    func deepNesting(_ opening: String) throws {
        let error = try failure(String(repeating: opening, count: 100_000))
        #expect(error.kind == .limit)
        #expect(error.mark == YAMLMark(line: 1, column: 1 + 64 * opening.count / (opening == "[{a: " ? 2 : 1)))
    }

    @Test func depthExactly() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try YAMLDocument.parse(nested(64))
        #expect(try failure(nested(65)).mark == YAMLMark(line: 1, column: 65))
    }

    @Test func depthThroughAliases() throws {
        var text = "- &a0 [x]\n"
        for level in 1...80 { text += "- &a\(level) [*a\(level - 1)]\n" }
        let error = try failure(text)
        #expect(error.kind == .limit)
        #expect(error.mark == YAMLMark(line: 64, column: 9))
    }

    @Test func aliasBomb() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...20 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let error = try failure(text)
        #expect(error.kind == .limit)
        #expect(error.mark.line == 6)
    }

    @Test func mergeBomb() throws {
        var text = "a0: &a0 {" + (0..<1000).map { "k\($0): v" }.joined(separator: ", ") + "}\n"
        for level in 1...2000 { text += "a\(level): &a\(level) {<<: *a\(level - 1), k: \(level)}\n" }
        #expect(try failure(text).kind == .limit)
    }

    @Test func tagDirectives() throws {
        let text = (0..<50_000).map { "%TAG !t\($0)! x\n" }.joined() + "---\na: 1\n"
        let error = try failure(text)
        #expect(error.kind == .limit)
        #expect(error.mark == YAMLMark(line: 101, column: 1))
    }

    @Test func longScalarsAndManyAnchors() throws {
        let word = String(repeating: "x", count: 300_000)
        #expect(try YAMLDocument.parse("a: \"\(word)\"")["a"]?.scalar?.text == word)
        let anchors = (0..<5000).map { "- &a\($0) \($0)\n" }.joined() + "- *a17\n"
        #expect(try YAMLDocument.parse(anchors).sequence?.last?.scalar?.integer == 17)
    }

    @Test func aliasesShareWhatTheyName() throws {
        // Copied, this would be a million nodes of a kilobyte each.
        let word = String(repeating: "x", count: 1000)
        var text = "- &a0 [" + Array(repeating: word, count: 90).joined(separator: ", ") + "]\n"
        text += "- &a1 [" + Array(repeating: "*a0", count: 100).joined(separator: ", ") + "]\n"
        text += "- [" + Array(repeating: "*a1", count: 100).joined(separator: ", ") + "]\n"
        #expect(try YAMLDocument.parse(text).sequence?.last?.sequence?.count == 100)
    }
}
