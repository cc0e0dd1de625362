import FleetPluginAPI
import FoundationEssentials
import Testing

@testable import KubernetesClient

@Suite struct JSONParserTests {
    private func parse(_ text: String) -> JSONValue? { try? JSONParser.parse(Array(text.utf8)) }

    private static func random(_ depth: Int) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 7 : 5)) {
        case 0: return .null
        case 1: return .bool(.random())
        case 2: return .integer(.random(in: .min ... .max))
        case 3: return .number(Double.random(in: -1e9...1e9) + 0.123)
        case 4: return .string(["", "grüß 👍", "\"\\/\u{8}\n\r\t\u{1}", "\u{FFFF}\u{10FFFF}"].randomElement() ?? "")
        case 5: return .integer(.random(in: -9...9))
        case 6: return .array((0..<Int.random(in: 0...4)).map { _ in random(depth - 1) })
        default:
            return .object(
                Dictionary((0..<Int.random(in: 0...4)).map { ("k\($0)\"\n", random(depth - 1)) }) { $1 })
        }
    }

    @Test func whatIsEncodedIsReadBack() throws {
        for _ in 0..<500 {
            let value = Self.random(4)
            #expect(try JSONParser.parse([UInt8](try JSONEncoder().encode(value))) == value)
        }
    }

    @Test func escapesAndNumbersAreTheRFCs() {
        #expect(
            parse(#" ["\ud83d\ude00\u00e4\/", -0, 1e2, 9223372036854775807, 9223372036854775808] "#)
                == ["😀ä/", 0, .number(100), .integer(.max), .number(9_223_372_036_854_775_808)])
        #expect(parse(#"{"a":1,"a":2}"#) == ["a": 2])
        for text in [
            "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", ".5", "+1", "1e", "nul", "truex", "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"", "\"\u{1}\"", "\"abc", "[1] 2", "1e999", "{1:2}", "NaN", "'a'",
        ] {
            #expect(parse(text) == nil, "\(text)")
        }
        #expect((try? JSONParser.parse([0x22, 0xC3, 0x28, 0x22])) == nil)
        #expect(parse(String(repeating: "[", count: 100_000)) == nil)
    }

    /// Broken in a few places, it is read as Foundation reads it or refused as Foundation refuses it.
    @Test func brokenTextsAreJudgedAsByFoundation() throws {
        let text = Array(#"{"kind":"Pod","n":[1,-2.5,true,null,"a\n\u00e4"],"m":{"x":{"y":""}}}"#.utf8)
        for _ in 0..<3000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...3) {
                bytes[Int.random(in: 0..<bytes.count)] = Array("{}[]\":,\\0-e. xt".utf8).randomElement() ?? 0
            }
            let mine = try? JSONParser.parse(bytes)
            let theirs = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
            #expect((mine == nil) == (theirs == nil), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }
}
