import FleetPluginAPI

/// An element of an S3 answer: text or other elements.
struct XMLElement: Equatable {
    var name: String
    var text = ""
    var children: [XMLElement] = []

    /// The text of the first child of that name.
    func text(_ name: String) -> String? {
        children.first { $0.name == name }?.text
    }

    func all(_ name: String) -> [XMLElement] {
        children.filter { $0.name == name }
    }
}

/// A parser for the XML that S3 servers answer with: elements, attributes (which are skipped), character data, the five
/// named entities and character references (XML 1.0, fifth edition). Everything else, above all document types,
/// comments, CDATA and other processing instructions than the declaration, is refused, and so is what is not
/// well-formed or nested deeper than `depthLimit`. Never recurses; linear in the input's length.
struct StrictXML {
    static let depthLimit = 32

    private let bytes: [UInt8]
    private var position = 0
    private var open: [XMLElement] = []

    /// - Throws: `protocolViolation` that says where and what, not quoting the input.
    static func parse(_ bytes: [UInt8]) throws(FleetError) -> XMLElement {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw FleetError(.protocolViolation, "the answer is not UTF-8")
        }
        var parser = StrictXML(bytes: bytes)
        return try parser.document()
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func document() throws(FleetError) -> XMLElement {
        if starts([0xEF, 0xBB, 0xBF]) { position += 3 }
        // A server that takes its time to complete an upload sends spaces first.
        skipSpace()
        if starts("<?xml") {
            try skip(past: "?>")
            skipSpace()
        }
        while true {
            guard position < bytes.count else { throw fault("it ends early") }
            if bytes[position] != UInt8(ascii: "<") {
                try characterData()
            } else if let root = try tag() {
                skipSpace()
                guard position == bytes.count else { throw fault("something follows the root element") }
                return root
            }
        }
    }

    /// Reads a tag; the root element, when this ended it.
    private mutating func tag() throws(FleetError) -> XMLElement? {
        position += 1
        if next(is: UInt8(ascii: "/")) {
            position += 1
            let name = try self.name()
            skipSpace()
            try take(UInt8(ascii: ">"))
            guard open.last?.name == name else { throw fault("an end tag does not match") }
            return try close()
        }
        let name = try self.name()
        guard open.count < Self.depthLimit else { throw fault("it is nested too deeply") }
        let isEmpty = try attributes()
        open.append(XMLElement(name: name))
        return isEmpty ? try close() : nil
    }

    private mutating func close() throws(FleetError) -> XMLElement? {
        guard var element = open.popLast() else { throw fault("an end tag does not match") }
        if !element.children.isEmpty {
            guard element.text.utf8.allSatisfy(Self.isSpace) else { throw fault("text stands between elements") }
            element.text = ""
        }
        guard !open.isEmpty else { return element }
        open[open.count - 1].children.append(element)
        return nil
    }

    /// Skips attributes; whether the element is empty.
    private mutating func attributes() throws(FleetError) -> Bool {
        while true {
            let before = position
            skipSpace()
            guard position < bytes.count else { throw fault("it ends early") }
            if next(is: UInt8(ascii: ">")) {
                position += 1
                return false
            }
            if next(is: UInt8(ascii: "/")) {
                position += 1
                try take(UInt8(ascii: ">"))
                return true
            }
            guard position > before else { throw fault("a tag is malformed") }
            _ = try name()
            skipSpace()
            try take(UInt8(ascii: "="))
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'")
            else { throw fault("an attribute has no quotes") }
            let quote = bytes[position]
            position += 1
            while position < bytes.count, bytes[position] != quote {
                guard bytes[position] != UInt8(ascii: "<") else { throw fault("an attribute is malformed") }
                position += 1
            }
            try take(quote)
        }
    }

    private mutating func characterData() throws(FleetError) {
        guard !open.isEmpty else { throw fault("there is no root element") }
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            let byte = bytes[position]
            if byte == UInt8(ascii: "&") {
                text += Array(String(try entity()).utf8)
            } else {
                guard byte >= 0x20 || Self.isSpace(byte) else { throw fault("it contains a control character") }
                text.append(byte)
                position += 1
            }
        }
        open[open.count - 1].text += String(decoding: text, as: UTF8.self)
    }

    private mutating func entity() throws(FleetError) -> Unicode.Scalar {
        // The longest is &#x10FFFF; .
        guard let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw fault("an entity does not end")
        }
        let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
        let named: [String: Unicode.Scalar] = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
        let number =
            name.hasPrefix("#x")
            ? digits(name.dropFirst(2), 16) : name.hasPrefix("#") ? digits(name.dropFirst(), 10) : nil
        guard let scalar = named[name] ?? number.flatMap({ $0 == 0 ? nil : Unicode.Scalar($0) }) else {
            throw fault("an entity is unknown")
        }
        position = end + 1
        return scalar
    }

    private func digits(_ text: Substring, _ radix: Int) -> UInt32? {
        // A sign, which the initializer would take, is no digit.
        text.utf8.first.map { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") } == false
            ? UInt32(text, radix: radix) : nil
    }

    private mutating func name() throws(FleetError) -> String {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        guard position > start, !(0x30...0x39).contains(bytes[start]), !"-.".utf8.contains(bytes[start]) else {
            throw fault("a tag is malformed")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func take(_ byte: UInt8) throws(FleetError) {
        guard next(is: byte) else { throw fault("a tag is malformed") }
        position += 1
    }

    private mutating func skip(past text: String) throws(FleetError) {
        while position < bytes.count {
            if starts(text) {
                position += text.utf8.count
                return
            }
            position += 1
        }
        throw fault("it ends early")
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private func next(is byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }
    private func starts(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }
    private func starts(_ prefix: [UInt8]) -> Bool { bytes[position...].starts(with: prefix) }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x80...0xFF: true
        default: "-._:".utf8.contains(byte)
        }
    }

    private func fault(_ what: String) -> FleetError {
        FleetError(.protocolViolation, "the answer's XML is malformed: \(what)", cause: "at byte \(position)")
    }
}
