import FleetPluginAPI
import Testing

@testable import HTTPClient

@Suite struct WebSocketFrameTests {
    /// What a server would send: not masked.
    static func serverBytes(_ frame: WebSocketFrame) -> [UInt8] {
        let masked = frame.bytes(mask: 0)
        var bytes = masked
        bytes[1] &= 0x7F
        let head = frame.payload.count < 126 ? 2 : frame.payload.count <= 0xFFFF ? 4 : 10
        bytes.removeSubrange(head..<head + 4)
        return bytes
    }

    @Test func theExamplesOfTheRFCAreRead() throws {
        // Section 5.7: a text, the same in two pieces, a ping.
        var parser = WebSocketParser(limit: 1000)
        parser.add([0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        parser.add([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F])
        parser.add([0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        var assembly = WebSocketAssembly(limit: 1000)
        var events: [WebSocketAssembly.Event] = []
        while let frame = try parser.next() {
            if let event = try assembly.add(frame) { events.append(event) }
        }
        #expect(
            events == [.message(.text("Hello")), .message(.text("Hello")), .ping([0x48, 0x65, 0x6C, 0x6C, 0x6F])])
        let masked = WebSocketFrame(opcode: .text, payload: Array("Hello".utf8)).bytes(mask: 0x37FA_213D)
        #expect(masked == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
    }

    @Test func theKeyIsAnsweredAsTheRFCSays() {
        #expect(WebSocketHandshake.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        func hex(_ text: String) -> String {
            SHA1.hash(Array(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        #expect(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(hex(long) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(hex(String(repeating: "a", count: 1_000_000)) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    }

    /// Whatever way the bytes are cut into pieces, the frames are the same.
    @Test func framesSurviveEveryCut() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<8 {
            let frames = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                let size = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].randomElement(using: &random) ?? 0
                return WebSocketFrame(
                    opcode: .binary, isFinal: .random(using: &random),
                    payload: (0..<size).map { UInt8(truncatingIfNeeded: $0) })
            }
            var rest = frames.flatMap { Self.serverBytes($0) }[...]
            var parser = WebSocketParser(limit: 1 << 20)
            var found: [WebSocketFrame] = []
            while !rest.isEmpty {
                let cut = Int.random(in: 1...max(1, min(rest.count, 40_000)), using: &random)
                parser.add(Array(rest.prefix(cut)))
                rest = rest.dropFirst(cut)
                while let frame = try parser.next() { found.append(frame) }
            }
            #expect(found == frames)
        }
    }

    /// Bytes of any kind give frames or an error; nothing is read beyond them and no length is believed.
    @Test func anyBytesAreSurvived() {
        for _ in 0..<20_000 {
            var parser = WebSocketParser(limit: 4096)
            var assembly = WebSocketAssembly(limit: 8192)
            let bytes = (0..<Int.random(in: 0...64)).map { _ in UInt8.random(in: .min ... .max) }
            // Half of them begin as a frame of a server would.
            let begin: [UInt8] = Bool.random() ? [0x80 | UInt8.random(in: 0...10), UInt8.random(in: 0...127)] : []
            parser.add(begin + bytes)
            do {
                while let frame = try parser.next() {
                    #expect(frame.payload.count <= 4096)
                    _ = try assembly.add(frame)
                }
            } catch {
                let code = (error as? FleetError)?.code
                #expect(code == .protocolViolation || code == .exhausted)
            }
        }
    }

    @Test(
        arguments: [
            [0xC2, 0x00], [0x83, 0x00], [0x82, 0x80, 0, 0, 0, 0], [0x09, 0x00], [0x89, 0x7E, 0x00, 0x80],
            [0x82, 0x7E, 0x00, 0x10], [0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 1], [0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0, 1],
        ] as [[UInt8]])
    func whatTheRFCForbidsIsRefused(_ bytes: [UInt8]) {
        var parser = WebSocketParser(limit: 4096)
        parser.add(bytes)
        let error = #expect(throws: FleetError.self) { try parser.next() }
        #expect(error?.code == .protocolViolation)
    }

    @Test func messagesAreNoLargerThanAllowed() throws {
        var parser = WebSocketParser(limit: 100)
        parser.add([0x82, 0x7E, 0x01, 0x00])
        #expect(throws: FleetError.self) { try parser.next() }
        var assembly = WebSocketAssembly(limit: 100)
        let piece = [UInt8](repeating: 0, count: 60)
        #expect(try assembly.add(WebSocketFrame(opcode: .binary, isFinal: false, payload: piece)) == nil)
        #expect(throws: FleetError.self) {
            try assembly.add(WebSocketFrame(opcode: .continuation, isFinal: true, payload: piece))
        }
        #expect(throws: FleetError.self) {
            var assembly = WebSocketAssembly(limit: 100)
            _ = try assembly.add(WebSocketFrame(opcode: .text, payload: [0xC3, 0x28]))
        }
    }
}
