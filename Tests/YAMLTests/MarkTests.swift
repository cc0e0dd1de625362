import Testing
import YAML

@Suite struct MarkTests {
    /// `key` or `key/key`, its value's start and end.
    private func span(_ text: String, _ path: String) throws -> String {
        var node = try YAMLDocument.parse(text)
        for key in path.split(separator: "/") {
            node = try #require(Int(key).map { node.sequence?[$0] } ?? node[String(key)])
        }
        return "\(node.start)-\(node.end)"
    }

    @Test(arguments: [
        ("a: bc\n", "a", "1:4-1:6"),
        ("a: bc # comment\n", "a", "1:4-1:6"),
        ("a: 'b c'\n", "a", "1:4-1:9"),
        ("a:   &x   bc\n", "a", "1:6-1:13"),
        ("a:\nb: c\n", "a", "1:3-1:3"),
        ("a: [b, c]\n", "a", "1:4-1:10"),
        ("a: [b, c]\n", "a/1", "1:8-1:9"),
        ("a:\n  b: 1\n  c: 22\n\n# end\nd: 3\n", "a", "2:3-3:8"),
        ("a:\n- b\n- cc\nd: 3\n", "a", "2:1-3:5"),
        ("a:\n- b\n- cc\n", "a/1", "3:3-3:5"),
        ("a: \"é😀\"\nb: ü\n", "a", "1:4-1:8"),
        ("é😀: x\n", "é😀", "1:5-1:6"),
        ("a: b\r\nc: d\r\n", "c", "2:4-2:5"),
        ("a: b\rc: d\r", "c", "2:4-2:5"),
        ("\u{FEFF}a: b\n", "a", "1:4-1:5"),
        ("a: &x [p, q]\nb: [*x]\n", "b", "2:4-2:8"),
        ("a: &x\n  p: q\nb:\n  - *x\nc: d\n", "b", "4:3-4:7"),
        ("--- # start\na: b\n", "a", "2:4-2:5"),
        ("a:\tb\n", "a", "1:4-1:5"),
    ])
    func spans(_ text: String, _ path: String, _ expected: String) throws {
        #expect(try span(text, path) == expected)
    }

    @Test func keysHaveMarksToo() throws {
        let pairs = try #require(YAMLDocument.parse("a:\n  bc : 1\n")["a"]?.mapping)
        #expect("\(pairs[0].key.start)-\(pairs[0].key.end)" == "2:3-2:5")
    }

    @Test func everyNodeLiesWithinItsParent() throws {
        let node = try YAMLDocument.parse(sample)
        func check(_ node: YAMLNode) {
            #expect(node.start <= node.end)
            for child in (node.sequence ?? []) + (node.mapping ?? []).flatMap({ [$0.key, $0.value] }) {
                #expect(node.start <= child.start && child.end <= node.end)
                check(child)
            }
        }
        check(node)
    }
}

/// A document with a bit of everything, and without aliases.
let sample = """
    apiVersion: fleet/v1
    clusters:
      dev:  {environment: dev,  platform: {plugin: host}}
      "prod": {environment: 'prod', empty: }
    # a comment
    instances:
      orders:
        repositories: [offsite, "lo\\tcal"]
        checks:
        - {name: orders exist, sql: "select count(*)
            from orders", atLeast: 1}
        - name: naïve – ünïcode 😀
          sql: |
            select 1
              from t
          folded: >-
            one
            two
    ? complex
    : - 1
      - -2.5e3
      - ~
    """
