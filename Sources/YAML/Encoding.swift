/// What must be true of a document's bytes before libyaml sees them.
enum Encoding {
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    static func check(_ bytes: [UInt8], _ limits: YAMLLimits) throws(YAMLError) {
        if let name = foreignEncoding(bytes) {
            throw YAMLError(.encoding, "the file is encoded in \(name)", at: .start, hint: "save it as UTF-8")
        }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let offset = error.byteOffsets.lowerBound
            throw YAMLError(
                .encoding, "this is not UTF-8", at: YAMLMark(offset: offset, in: bytes), hint: "save the file as UTF-8")
        }
        guard bytes.count <= limits.bytes else {
            throw YAMLError(
                .limit, "the document has \(bytes.count) bytes; \(limits.bytes) are allowed",
                at: YAMLMark(offset: limits.bytes, in: bytes))
        }
        try checkDirectives(bytes)
    }

    private static func foreignEncoding(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return "UTF-32" }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
        return nil
    }

    private static func checkDirectives(_ bytes: [UInt8]) throws(YAMLError) {
        var seen = 0
        var isLineStart = true
        for (offset, byte) in bytes.enumerated() {
            if isLineStart, byte == UInt8(ascii: "%"), bytes[offset...].starts(with: "%TAG".utf8) {
                seen += 1
                guard seen <= YAMLLimits.tagDirectives else {
                    throw YAMLError(
                        .limit, "more than \(YAMLLimits.tagDirectives) lines begin with %TAG",
                        at: YAMLMark(offset: offset, in: bytes))
                }
            }
            isLineStart = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        }
    }
}
