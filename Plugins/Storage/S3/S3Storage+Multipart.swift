import FleetPluginAPI
import HTTPClient

extension S3Storage {
    /// In parts, several at once. It becomes an object when the last request succeeds; before, or when anything fails,
    /// nothing can be read or listed of it.
    func putInParts(_ upload: Upload) async throws {
        let id = try await begin(upload)
        do {
            let parts = try await sendParts(of: upload, id)
            try await complete(upload, id, parts)
        } catch {
            // Not cancelled with this task. What it cannot remove, `prepare` does after a day.
            await Task { try? await abort(upload.key, id) }.value
            throw error
        }
    }

    struct Part {
        var number: Int
        var tag: String
        var checksum: String?
    }

    func begin(_ upload: Upload) async throws -> String {
        var call = S3Call(.post, upload.key, query: [("uploads", "")])
        call.headers = headers()
        call.headers["content-type"] = "application/octet-stream"
        call.headers[Upload.idHeader] = upload.id
        if settings.checksum == .sha256 { call.headers["x-amz-checksum-algorithm"] = "SHA256" }
        let answer = try await client.perform(call)
        return try Answer.uploadID(answer.body)
    }

    private func sendParts(of upload: Upload, _ id: String) async throws -> [Part] {
        // S3 takes 10,000 parts.
        let size = max(Int(settings.partSize), (upload.bytes.count + 9_999) / 10_000)
        let count = (upload.bytes.count + size - 1) / size
        return try await withThrowingTaskGroup(of: Part.self) { group in
            var parts: [Part] = []
            var next = 0
            while parts.count < count {
                while next < count, next - parts.count < settings.parallelParts {
                    let bounds = next * size..<min((next + 1) * size, upload.bytes.count)
                    let number = next + 1
                    group.addTask { try await send(number, Array(upload.bytes[bounds]), upload.key, id) }
                    next += 1
                }
                if let part = try await group.next() { parts.append(part) }
            }
            return parts.sorted { $0.number < $1.number }
        }
    }

    func send(_ number: Int, _ bytes: [UInt8], _ key: String, _ id: String) async throws -> Part {
        var call = S3Call(.put, key, query: [("partNumber", String(number)), ("uploadId", id)])
        call.deadline = S3Call.deadline(for: Int64(bytes.count))
        let payload = attach(bytes, to: &call)
        let answer = try await client.perform(call)
        guard let tag = answer.headers["etag"], !tag.isEmpty else {
            throw Answer.malformed("the server does not say which part it stored")
        }
        return Part(number: number, tag: tag, checksum: settings.checksum == .sha256 ? payload.checksum : nil)
    }

    func complete(_ upload: Upload, _ id: String, _ parts: [Part]) async throws {
        var call = S3Call(.post, upload.key, query: [("uploadId", id)])
        call.headers["content-type"] = "application/xml"
        call.payload = S3Call.Payload(Array(Self.document(parts).utf8))
        // The server puts the object together first.
        call.stallTimeout = .seconds(300)
        call.deadline = .seconds(1800)
        let settings = settings
        let now = client.now
        do {
            _ = try await client.perform(call) { answer in
                // It may have failed although its status, sent before, says otherwise.
                guard try StrictXML.parse(answer.body).name == "CompleteMultipartUploadResult" else {
                    let fault = S3Fault(inBody: answer, call, settings, region: settings.region, now: now)
                    throw fault.error
                }
            }
        } catch let error as FleetError where error.code == .notFound {
            // The upload is gone: perhaps because an attempt whose answer was lost has completed it.
            guard try await isStored(upload) else { throw error }
        }
    }

    func abort(_ key: String, _ id: String) async throws {
        _ = try await client.perform(S3Call(.delete, key, query: [("uploadId", id)]))
    }

    private static func document(_ parts: [Part]) -> String {
        let list = parts.map { part in
            let tag = part.tag.map { ["&": "&amp;", "<": "&lt;", ">": "&gt;"][$0] ?? String($0) }.joined()
            let checksum = part.checksum.map { "<ChecksumSHA256>\($0)</ChecksumSHA256>" } ?? ""
            return "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(tag)</ETag>\(checksum)</Part>"
        }
        return "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list.joined())"
            + "</CompleteMultipartUpload>"
    }
}
