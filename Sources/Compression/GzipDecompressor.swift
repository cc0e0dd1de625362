import CZlib

/// Reads gzip files whole.
public enum GzipDecompressor {
    /// The content of all members of a gzip file, one after the other.
    ///
    /// - Throws: `tooLarge` when the content is more than `limit` bytes; `corrupted` when the bytes are not whole gzip
    ///   members, or a checksum is wrong.
    public static func decompress(_ bytes: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        var content: [UInt8] = []
        var rest = bytes[...]
        repeat {
            let (member, used) = try member(rest, limit: limit - content.count)
            if content.isEmpty { content = member } else { content += member }
            rest = rest.dropFirst(used)
        } while !rest.isEmpty
        return content
    }

    /// The content of the first member, and how many bytes it takes.
    private static func member(
        _ bytes: ArraySlice<UInt8>, limit: Int
    ) throws(CompressionError) -> (content: [UInt8], used: Int) {
        var stream = unsafe z_stream()
        guard unsafe fleet_inflate_begin(&stream) == Z_OK else {
            throw CompressionError(.exhausted, "no memory for a gzip decompressor")
        }
        defer { _ = unsafe inflateEnd(&stream) }
        var content: [UInt8] = []
        var step = max(1024, min(limit, bytes.count * 4))
        var used = 0
        while true {
            // One byte more than allowed, so that too much is seen as such.
            step = min(step, limit - content.count + 1)
            let (piece, status) = unsafe produce(bytes.dropFirst(used), step, &stream)
            used = unsafe Int(stream.total_in)
            content += piece
            guard content.count <= limit else {
                throw CompressionError(.tooLarge, "the gzip file holds more than the \(limit) bytes allowed")
            }
            switch status {
            case Z_STREAM_END: return (content, used)
            case Z_OK where !piece.isEmpty || used < bytes.count: continue
            case Z_MEM_ERROR: throw CompressionError(.exhausted, "no memory for a gzip decompressor")
            case Z_OK, Z_BUF_ERROR:
                throw CompressionError(.corrupted, "the gzip file ends early, after \(content.count) bytes of content")
            default: throw CompressionError(.corrupted, "the bytes are not a whole gzip file (zlib: \(status))")
            }
        }
    }

    private static func produce(
        _ input: ArraySlice<UInt8>, _ count: Int, _ stream: inout z_stream
    ) -> (piece: [UInt8], status: Int32) {
        var status = Z_OK
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe input.withUnsafeBufferPointer { input in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = buffer.baseAddress
                unsafe stream.avail_out = UInt32(buffer.count)
                status = unsafe inflate(&stream, Z_NO_FLUSH)
                filled = unsafe buffer.count - Int(stream.avail_out)
                // Not kept beyond this call: the buffers are lent.
                unsafe stream.next_in = nil
                unsafe stream.next_out = nil
            }
        }
        return (piece, status)
    }
}
