import Testing
import YAML

@Suite struct RefusalTests {
    @Test(arguments: [
        ("a: [1, 2\nb: 3\n", "2:2", "expected a comma or ]"),
        ("a: 1\n b: 2\n", "2:3", "a colon does not belong here"),
        ("a: b: c\n", "1:5", "a colon does not belong here"),
        ("a:\n\tb: 1\n", "2:1", "a tab where indentation is expected"),
        ("a:\n  b: 1\n\tc: 1\n", "3:1", "a tab where indentation is expected"),
        ("a: @b\n", "1:4", "a value cannot begin with @"),
        ("a: %b\n", "1:4", "a value cannot begin with %"),
        ("a: \"b\n", "1:4", "a quote is not closed"),
        ("a: 'it's'\n", "1:8", "expected a key, aligned with 1:1"),
        ("a: 1\n- b\n", "2:1", "expected a key, aligned with 1:1"),
        ("a:\n  b: 1\n c: 2\n", "3:2", "expected a key, aligned with 1:1"),
        ("a: 1\nb\nc: 2\n", "2:1", "a key without a colon"),
        ("a: \"\\q\"\n", "1:5", "an unknown escape in double quotes"),
        ("é: \"\\q\"\n", "1:5", "an unknown escape in double quotes"),
        ("%YAML 3.0\n---\na", "1:1", "found incompatible YAML document"),
    ])
    func syntax(_ text: String, _ mark: String, _ message: String) throws {
        let error = try failure(text)
        #expect(error.kind == .syntax)
        #expect(error.mark.description == mark)
        #expect(error.message == message)
    }

    @Test func secondDocument() throws {
        let error = try failure("a: 1\n---\nb: 2\n")
        #expect(error.kind == .secondDocument)
        #expect(error.mark == YAMLMark(line: 2, column: 1))
        #expect(outline(try YAMLDocument.parse("a: 1\n...\n")) == "{a: 1}")
    }

    @Test(arguments: [
        ("a: *x\n", "1:4", "no anchor &x stands before this alias"),
        ("a: &x [1, *x]\n", "1:11", "the alias *x stands inside what it names"),
        ("a: &x {b: {<<: *x}}\n", "1:16", "the alias *x stands inside what it names"),
    ])
    func aliases(_ text: String, _ mark: String, _ message: String) throws {
        let error = try failure(text)
        #expect(error.kind == .alias)
        #expect(error.mark.description == mark)
        #expect(error.message == message)
    }

    @Test(arguments: [
        ("a: {<<: 1}\n", "1:9"), ("a: {<<: [{}, 2]}\n", "1:14"), ("a:\n  <<: {}\n  <<: {}\n", "3:3"),
    ])
    func merges(_ text: String, _ mark: String) throws {
        let error = try failure(text)
        #expect(error.kind == .merge)
        #expect(error.mark.description == mark)
    }

    @Test(
        arguments: [
            ([0x61, 0x3A, 0x20, 0x00], "1:4", "a NUL byte"),
            ([0x61, 0x0A, 0x62, 0x07], "2:2", "the control character U+0007 is not allowed"),
            ([0xC3, 0xA9, 0x0D, 0x0A, 0xC3, 0xA9, 0x1B], "2:2", "the control character U+001B is not allowed"),
            ([0xEF, 0xBB, 0xBF, 0x61, 0x00], "1:2", "a NUL byte"),
            ([0x61, 0x0A, 0xC3, 0xA9, 0xFF], "2:2", "this is not UTF-8"),
            ([0xC3], "1:1", "this is not UTF-8"),
            ([0x61, 0xED, 0xA0, 0x80], "1:2", "this is not UTF-8"),
            ([0x61, 0xC0, 0x80], "1:2", "this is not UTF-8"),
            ([0xFF, 0xFE, 0x61, 0x00], "1:1", "the file is encoded in UTF-16"),
            ([0xFE, 0xFF, 0x00, 0x61], "1:1", "the file is encoded in UTF-16"),
            ([0xFF, 0xFE, 0x00, 0x00, 0x61, 0x00, 0x00, 0x00], "1:1", "the file is encoded in UTF-32"),
            ([0x61, 0x00, 0x3A, 0x00], "1:2", "a NUL byte"),
        ] as [([UInt8], String, String)])
    func encodings(_ bytes: [UInt8], _ mark: String, _ message: String) throws {
        let error = try failure(bytes)
        #expect(error.kind == .encoding)
        #expect(error.mark.description == mark)
        #expect(error.message == message)
    }
}
