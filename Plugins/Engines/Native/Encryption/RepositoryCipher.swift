import Crypto
import FleetPluginAPI
import FoundationEssentials

/// Encrypts and decrypts the objects of a repository with AES-256-GCM.
///
/// Each object has a key of its own, made by HKDF-SHA256 of the repository key, a random salt and the object's name: no
/// nonce is ever used twice, and an object under another name does not open. It is sealed in segments, so that a part
/// can be read; a segment's nonce is its number and whether it is the last, so that none can be moved, left out or cut
/// off (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
struct RepositoryCipher: Sendable {
    private let key: SymmetricKey

    static let tag: StaticString = "FLTENC_1"
    /// Tag, u32 segment size, u32 zero, 32 bytes of salt.
    static let headerSize = 48
    /// Content of a segment, all but the last.
    static let segmentSize = 64 << 10
    /// Authentication tag of a segment.
    static let overhead = 16
    static let storedSegmentSize = segmentSize + overhead

    init(_ key: SymmetricKey) {
        self.key = key
    }

    /// What an instance's folder is called: without the key nobody can tell which instance it is.
    func folder(of instance: String) -> String {
        let names = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, info: Array("fleet instance names".utf8), outputByteCount: 32)
        let code = HMAC<SHA256>.authenticationCode(for: Array(instance.utf8), using: names)
        return Hex.encode(Array(code.prefix(16)))
    }

    /// Bytes of an object with so much content.
    static func storedSize(of size: Int) -> Int {
        headerSize + size + max(1, (size + segmentSize - 1) / segmentSize) * overhead
    }

    /// Bytes of content in a stored object of this size; 0 for one that is too short to be one.
    static func size(ofStored size: Int64) -> Int64 {
        let body = size - Int64(headerSize)
        guard body > Int64(overhead) else { return 0 }
        let segments = (body + Int64(storedSegmentSize) - 1) / Int64(storedSegmentSize)
        return max(0, body - segments * Int64(overhead))
    }

    /// Numbers of the segments that hold some bytes of the content; at least one.
    static func segments(covering range: Range<Int64>) -> Range<Int> {
        let first = Int(range.lowerBound) / segmentSize
        let end = (Int(range.upperBound) + segmentSize - 1) / segmentSize
        return first..<max(first + 1, end)
    }

    /// Where segments lie in the stored object.
    static func place(of segments: Range<Int>) -> Range<Int64> {
        let bounds = [segments.lowerBound, segments.upperBound].map { Int64(headerSize + $0 * storedSegmentSize) }
        return bounds[0]..<bounds[1]
    }

    func seal(_ content: [UInt8], as name: String) throws -> [UInt8] {
        let salt = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        let key = objectKey(name, salt: salt)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.storedSize(of: content.count))
        bytes.append(ascii: Self.tag)
        bytes.append(littleEndian: UInt32(Self.segmentSize))
        bytes.append(littleEndian: UInt32(0))
        bytes += salt
        var start = 0
        repeat {
            let end = min(start + Self.segmentSize, content.count)
            let nonce = try Self.nonce(start / Self.segmentSize, isLast: end == content.count)
            let box = try AES.GCM.seal(content[start..<end], using: key, nonce: nonce)
            bytes += box.ciphertext
            bytes += box.tag
            start = end
        } while start < content.count
        return bytes
    }

    /// The whole content of an object.
    ///
    /// - Throws: `corrupted`.
    func open(_ bytes: [UInt8], as name: String) throws -> [UInt8] {
        let opener = try ObjectOpener(self, header: bytes, name)
        let content = try opener.open(bytes[Self.headerSize...], from: 0, isWhole: true)
        return content
    }

    fileprivate func objectKey(_ name: String, salt: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: salt, info: Array("fleet object \(name)".utf8), outputByteCount: 32)
    }

    fileprivate static func nonce(_ segment: Int, isLast: Bool) throws -> AES.GCM.Nonce {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt64(segment))
        bytes += [0, 0, 0, isLast ? 1 : 0]
        return try AES.GCM.Nonce(data: bytes)
    }
}

/// Opens segments of one object.
struct ObjectOpener: Sendable {
    private let key: SymmetricKey
    private let name: String

    /// - Parameter header: the first bytes of the object.
    /// - Throws: `corrupted` when it is no encrypted object.
    init(_ cipher: RepositoryCipher, header: [UInt8], _ name: String) throws {
        var reader = ByteReader(header, name)
        try reader.expect(RepositoryCipher.tag)
        let segmentSize = try reader.integer(UInt32.self)
        guard segmentSize == UInt32(RepositoryCipher.segmentSize), try reader.integer(UInt32.self) == 0 else {
            throw FleetError(.corrupted, "\(name) is damaged", cause: "its segments have \(segmentSize) bytes")
        }
        key = cipher.objectKey(name, salt: Array(try reader.take(32)))
        self.name = name
    }

    /// The content of stored segments, of which the first has the number `first`.
    ///
    /// - Parameter isWhole: the bytes go to the end of the object, so that the last segment must be the object's.
    /// - Throws: `corrupted` when one is not what was stored in its place.
    func open(_ bytes: ArraySlice<UInt8>, from first: Int, isWhole: Bool) throws -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(bytes.count)
        var rest = bytes
        var number = first
        repeat {
            let segment = rest.prefix(RepositoryCipher.storedSegmentSize)
            rest = rest.dropFirst(segment.count)
            if !rest.isEmpty {
                content += try open(segment, number, isLast: false)
            } else if isWhole || segment.count < RepositoryCipher.storedSegmentSize {
                content += try open(segment, number, isLast: true)
            } else {
                // A full one that may or may not be the object's last.
                content += try (try? open(segment, number, isLast: false)) ?? open(segment, number, isLast: true)
            }
            number += 1
        } while !rest.isEmpty
        return content
    }

    private func open(_ segment: ArraySlice<UInt8>, _ number: Int, isLast: Bool) throws -> Data {
        do {
            let tag = segment.suffix(RepositoryCipher.overhead)
            let box = try AES.GCM.SealedBox(
                nonce: RepositoryCipher.nonce(number, isLast: isLast), ciphertext: segment.dropLast(tag.count), tag: tag
            )
            return try AES.GCM.open(box, using: key)
        } catch {
            throw FleetError(
                .corrupted, "\(name) is damaged",
                cause: "its segment \(number) is not what was encrypted under this name")
        }
    }
}
