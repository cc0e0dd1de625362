import Testing
import YAML

@Suite struct ScalarTests {
    @Test(arguments: [
        ("~", YAMLTag.null), ("null", .null), ("Null", .null), ("nULL", .string),
        ("true", .bool), ("FALSE", .bool), ("tRue", .string), ("yes", .string), ("no", .string), ("on", .string),
        ("0", .int), ("-12", .int), ("+7", .int), ("010", .int), ("0x1F", .int), ("0o17", .int), ("0o8", .string),
        ("-0x1", .string), ("0x", .string), ("1_000", .string), ("12:30:00", .string), ("-", .string),
        ("1.5", .float), (".5", .float), ("1.", .float), ("1e3", .float), ("-1.5E-3", .float), (".", .string),
        ("1e", .string), (".inf", .float), ("-.INF", .float), (".nan", .float), ("-.nan", .string), ("1.2.3", .string),
        ("15m", .string), ("80%", .string), ("2025-12-18", .string), ("", .null),
    ])
    func plainScalarsFollowTheCoreSchema(_ text: String, _ tag: YAMLTag) throws {
        // In a flow sequence a lone dash is no value.
        let node = try #require(try YAMLDocument.parse(text == "-" ? "{a: '-'}" : "{a: \(text)}")["a"])
        #expect(node.tag == tag)
    }

    @Test(arguments: ["'true'", "\"12\"", "! 12", "!!str 12", "!!str null"])
    func quotedScalarsAreStrings(_ text: String) throws {
        #expect(try YAMLDocument.parse(text).tag == .string)
    }

    @Test func values() throws {
        func scalar(_ text: String) throws -> YAMLScalar { try #require(YAMLDocument.parse(text).scalar) }
        #expect(try scalar("True").bool == true)
        #expect(try scalar("false").bool == false)
        #expect(try scalar("0x1F").integer == 31)
        #expect(try scalar("0o17").integer == 15)
        #expect(try scalar("010").integer == 10)
        #expect(try scalar("+7").integer == 7)
        #expect(try scalar("9223372036854775808").integer == nil)
        #expect(try scalar("9223372036854775808").number == 0x1p63)
        #expect(try scalar("-.inf").number == -.infinity)
        #expect(try scalar("1.").number == 1)
        #expect(try scalar(".5e1").number == 5)
        #expect(try scalar("12").bool == nil)
        #expect(try scalar("'12'").integer == nil)
        #expect(try scalar("!!int '12'").integer == 12)
    }

    @Test func booleansOfOldAreStringsThatCanBeHintedAt() throws {
        func legacy(_ text: String) throws -> Bool? { try YAMLDocument.parse(text).scalar?.legacyBool }
        #expect(try legacy("yes") == true)
        #expect(try legacy("Off") == false)
        #expect(try legacy("'no'") == nil)
        #expect(try legacy("true") == nil)
    }

    @Test(arguments: [("!!int x", 1), ("!!bool yes", 1), ("!!map [a]", 1), ("a: !!seq {b: c}", 4), ("!!str [a]", 1)])
    func tagsThatDoNotHold(_ text: String, _ column: Int) throws {
        let error = try failure(text)
        #expect(error.kind == .tag)
        #expect(error.mark == YAMLMark(line: 1, column: column))
    }

    @Test func otherTagsAreKept() throws {
        #expect(try YAMLDocument.parse("!vault x").tag == .other("!vault"))
        #expect(try YAMLDocument.parse("!!set {a}").tag == .other("tag:yaml.org,2002:set"))
    }
}
