import Testing
import YAML

@Suite struct TreeTests {
    @Test(arguments: [
        ("", "~"),
        ("# only a comment\n", "~"),
        ("---\n", "~"),
        ("a: 1\nb: [x, 'y', \"z\"]\n", "{a: 1, b: [\"x\", \"y\", \"z\"]}"),
        ("a:\n  - b: c\n    d: e\n  - f\n", "{a: [{b: \"c\", d: \"e\"}, \"f\"]}"),
        ("a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{a: \"one\ntwo\n\", b: \"one two\"}"),
        ("a: {b: {c: [[], {}]}}", "{a: {b: {c: [[], {}]}}}"),
        ("a: \r\n  b: 1\r\n  c: 2\r\n", "{a: {b: 1, c: 2}}"),
        ("{\"a\":\"b\",\"c\":[1,2.5,null,true]}", "{a: \"b\", c: [1, 2.5, null, true]}"),
        ("? [x]\n: y\n", "{[\"x\"]: \"y\"}"),
        ("\u{FEFF}a: 1", "{a: 1}"),
    ])
    func reads(_ text: String, _ expected: String) throws {
        #expect(outline(try YAMLDocument.parse(text)) == expected)
    }

    @Test func keepsDuplicateKeys() throws {
        let pairs = try #require(YAMLDocument.parse("a: 1\nb: 2\na: 3\n").mapping)
        #expect(pairs.map { $0.key.scalar?.text } == ["a", "b", "a"])
        #expect(pairs.map(\.key.start.line) == [1, 2, 3])
    }

    @Test func resolvesAliases() throws {
        let node = try YAMLDocument.parse("a: &x {p: 1}\nb: *x\nc: [*x, &x 2, *x]\n")
        #expect(outline(node) == "{a: {p: 1}, b: {p: 1}, c: [{p: 1}, 2, 2]}")
        #expect(node["b"]?.start == YAMLMark(line: 1, column: 4), "marks are those of the anchor")
    }

    @Test(arguments: [
        ("base: &b {p: 1, q: 2}\nx:\n  <<: *b\n  q: 3\n", "{q: 3, p: 1}"),
        ("x: {<<: [{p: 1}, {p: 2, q: 2}], r: 3}", "{r: 3, p: 1, q: 2}"),
        ("x: {'<<': 1}", "{<<: 1}"),
        ("x: {\"p\": 0, <<: {p: 1}}", "{p: 0}"),
        ("a: &a {p: 1}\nb: &b {<<: *a, q: 2}\nx: {<<: *b, r: 3}", "{r: 3, q: 2, p: 1}"),
    ])
    func merges(_ text: String, _ expected: String) throws {
        let x = try #require(try YAMLDocument.parse(text)["x"])
        #expect(outline(x) == expected)
    }

    @Test func anchorsGivenAnewInsideThemselves() throws {
        #expect(outline(try YAMLDocument.parse("[&a [&a x, *a], *a]")) == "[[\"x\", \"x\"], \"x\"]")
    }

    @Test func writesWhatItReads() throws {
        let value = YAMLValue.mapping([
            .init("name", .string("orders")), .init("no", .string("no")), .init("empty", .string("")),
            .init("a: b", .sequence([.integer(-1), .number(1.5), .bool(true), .null, .string("0x1F"), .string("~")])),
            .init(
                "nested",
                .sequence([
                    .mapping([.init("p", .string("a\tb\n\"\\\u{1}\u{85}\u{2028}é😀")), .init("q", .sequence([]))]),
                    .sequence([.sequence([.string("x")]), .mapping([])]),
                    .mapping([.init("deep", .mapping([.init("er", .string("/a/b.c-d"))]))]),
                ])),
        ])
        let expected =
            "{name: \"orders\", no: \"no\", empty: \"\", a: b: [-1, 1.5, true, null, \"0x1F\", \"~\"], "
            + "nested: [{p: \"a\tb\n\"\\\u{1}\u{85}\u{2028}é😀\", q: []}, [[\"x\"], {}], {deep: {er: \"/a/b.c-d\"}}]}"
        #expect(outline(try YAMLDocument.parse(value.text)) == expected)
        #expect(value.text.contains("\"no\": \"no\"\n"))
    }
}
