import Crypto
import FleetPluginAPI

extension BackupManifest {
    /// The manifest as PostgreSQL writes it, byte for byte, its checksum at the end.
    public var bytes: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(200 + files.count * 200)
        text += "{ \"PostgreSQL-Backup-Manifest-Version\": \(version),\n".utf8
        if let systemIdentifier { text += "\"System-Identifier\": \(systemIdentifier),\n".utf8 }
        text += "\"Files\": [".utf8
        for (index, file) in files.enumerated() {
            text += (index == 0 ? "\n" : ",\n").utf8
            file.write(to: &text)
        }
        text += "\n],\n\"WAL-Ranges\": [\n".utf8
        for (index, range) in walRanges.enumerated() {
            if index > 0 { text += ",\n".utf8 }
            text +=
                #"{ "Timeline": \#(range.timeline), "Start-LSN": "\#(range.start)", "End-LSN": "\#(range.end)" }"#.utf8
        }
        text += "\n],\n".utf8
        let checksum = SHA256.hash(data: text)
        text += #""Manifest-Checksum": ""#.utf8
        text += Hexadecimal.encode(checksum)
        text += "\"}\n".utf8
        return text
    }
}

extension BackupManifest.File {
    fileprivate func write(to text: inout [UInt8]) {
        if let rawPath {
            text += #"{ "Encoded-Path": ""#.utf8
            text += Hexadecimal.encode(rawPath)
            text += "\", ".utf8
        } else {
            text += #"{ "Path": ""#.utf8
            for byte in path.utf8 { Self.escape(byte, to: &text) }
            text += "\", ".utf8
        }
        text += #""Size": \#(size), "Last-Modified": "\#(lastModified.dayText) \#(lastModified.clockText) GMT""#.utf8
        if let checksum {
            text += #", "Checksum-Algorithm": "\#(checksum.algorithm.rawValue)", "Checksum": ""#.utf8
            text += Hexadecimal.encode(checksum.value)
            text.append(UInt8(ascii: "\""))
        }
        text += " }".utf8
    }

    /// As PostgreSQL's `escape_json` does.
    private static func escape(_ byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case 0x08: text += #"\b"#.utf8
        case 0x0C: text += #"\f"#.utf8
        case 0x0A: text += #"\n"#.utf8
        case 0x0D: text += #"\r"#.utf8
        case 0x09: text += #"\t"#.utf8
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
        case ..<0x20:
            text += #"\u00"#.utf8
            text += Hexadecimal.encode([byte])
        default: text.append(byte)
        }
    }
}
