import FleetPluginAPI

/// The messages in the single CopyOut of servers from 15 on (`basebackup_copy.c`).
enum BaseBackupMessage {
    /// - Throws: `protocolViolation` for anything that the protocol does not have.
    static func decode(_ message: UnsafeRawBufferPointer) throws -> BaseBackupEvent {
        guard let type = unsafe message.first else { throw violation("an empty message") }
        let body = unsafe UnsafeRawBufferPointer(rebasing: message.dropFirst())
        switch type {
        case UInt8(ascii: "d"): return .data(unsafe [UInt8](body))
        case UInt8(ascii: "p"):
            guard body.count == 8 else { throw violation("a progress message of \(body.count) bytes") }
            return .progress(unsafe Int64(bigEndian: body.loadUnaligned(as: Int64.self)))
        case UInt8(ascii: "m"):
            guard unsafe body.isEmpty else { throw violation("a manifest message of \(body.count) bytes") }
            return .manifest
        case UInt8(ascii: "n"):
            let parts = unsafe body.split(separator: 0, omittingEmptySubsequences: false)
            guard unsafe parts.count == 3, unsafe parts[2].isEmpty, unsafe !parts[0].isEmpty else {
                throw violation("an archive message without name and path")
            }
            let name = unsafe String(decoding: parts[0], as: UTF8.self)
            let path = unsafe String(decoding: parts[1], as: UTF8.self)
            return .archive(name: name, tablespacePath: path.isEmpty ? nil : path)
        default: throw violation("a message of type \(type)")
        }
    }

    private static func violation(_ what: String) -> FleetError {
        FleetError(.protocolViolation, "base backup", cause: "the server sent \(what)")
    }
}
