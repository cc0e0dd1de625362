import Testing
import YAML

/// The error that a document is refused with.
func failure(_ text: String, limits: YAMLLimits = YAMLLimits()) throws -> YAMLError {
    try failure(Array(text.utf8), limits: limits)
}

func failure(_ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws -> YAMLError {
    try #require(throws: YAMLError.self) { try YAMLDocument.parse(bytes, limits: limits) }
}

/// A tree in one line, without marks: `{a: [1, "x"]}`, strings quoted, everything else as written.
func outline(_ node: YAMLNode) -> String {
    switch node.content {
    case .scalar(let scalar): scalar.tag == .string ? "\"\(scalar.text)\"" : scalar.text.isEmpty ? "~" : scalar.text
    case .sequence(let nodes): "[" + nodes.map(outline).joined(separator: ", ") + "]"
    case .mapping(let pairs):
        "{" + pairs.map { "\($0.key.scalar?.text ?? outline($0.key)): \(outline($0.value))" }.joined(separator: ", ")
            + "}"
    }
}

/// A generator whose numbers are the same in every run, so that a failure can be looked at again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
