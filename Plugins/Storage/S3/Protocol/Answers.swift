import FleetPluginAPI

/// A page of `ListObjectsV2`.
struct ObjectPage: Equatable {
    var objects: [StoredObject]
    /// Where the next page begins; nil after the last.
    var continuation: String?

    /// - Throws: `protocolViolation`.
    init(_ body: [UInt8]) throws(FleetError) {
        let root = try Answer.root(body, "ListBucketResult")
        let isEncoded = root.text("EncodingType") == "url"
        objects = []
        for entry in root.all("Contents") {
            let written = try Answer.required(entry, "Key")
            guard let key = isEncoded ? PercentEncoding.decode(written) : written,
                let size = Int64(try Answer.required(entry, "Size")), size >= 0,
                let modified = Timestamp(rfc3339: try Answer.required(entry, "LastModified"))
            else { throw Answer.malformed("an object in a list cannot be read") }
            objects.append(StoredObject(key: key, size: size, modified: modified))
        }
        switch try Answer.required(root, "IsTruncated") {
        case "true":
            let token = try Answer.required(root, "NextContinuationToken")
            guard !token.isEmpty else { throw Answer.malformed("a list does not say where it goes on") }
            continuation = token
        case "false": continuation = nil
        default: throw Answer.malformed("a list does not say whether it is complete")
        }
    }
}

/// A page of `ListMultipartUploads`.
struct UploadPage: Equatable {
    struct Upload: Equatable {
        var key: String
        var id: String
        var initiated: Timestamp
    }

    var uploads: [Upload]
    /// Key and upload id after which the next page begins; nil after the last.
    var next: (key: String, id: String)?

    init(_ body: [UInt8]) throws(FleetError) {
        let root = try Answer.root(body, "ListMultipartUploadsResult")
        let isEncoded = root.text("EncodingType") == "url"
        func decoded(_ text: String) -> String? { isEncoded ? PercentEncoding.decode(text) : text }
        uploads = []
        for entry in root.all("Upload") {
            guard let key = decoded(try Answer.required(entry, "Key")),
                let initiated = Timestamp(rfc3339: try Answer.required(entry, "Initiated"))
            else { throw Answer.malformed("an upload in a list cannot be read") }
            uploads.append(Upload(key: key, id: try Answer.required(entry, "UploadId"), initiated: initiated))
        }
        guard root.text("IsTruncated") == "true" else { return }
        guard let key = decoded(try Answer.required(root, "NextKeyMarker")), !key.isEmpty else {
            throw Answer.malformed("a list does not say where it goes on")
        }
        next = (key, root.text("NextUploadIdMarker") ?? "")
    }

    static func == (left: UploadPage, right: UploadPage) -> Bool {
        left.uploads == right.uploads && left.next?.key == right.next?.key && left.next?.id == right.next?.id
    }
}

/// What a server says in the body of an error; empty where it says nothing that can be read.
struct ErrorAnswer: Equatable {
    var code = ""
    var message = ""
    var region: String?

    init(_ body: [UInt8]) {
        guard let root = try? StrictXML.parse(body), root.name == "Error" else { return }
        code = Self.printable(root.text("Code") ?? "", 64)
        message = Self.printable(root.text("Message") ?? "", 300)
        region = root.text("Region").flatMap { Self.isRegion($0) ? $0 : nil }
    }

    /// A region goes into what is signed and, on AWS, into a host's name.
    static func isRegion(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    private static func printable(_ text: String, _ limit: Int) -> String {
        String(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }.prefix(limit))
    }
}

/// What answers have in common.
enum Answer {
    static func root(_ body: [UInt8], _ name: String) throws(FleetError) -> XMLElement {
        let root = try StrictXML.parse(body)
        guard root.name == name else { throw malformed("the answer is no \(name)") }
        return root
    }

    static func required(_ element: XMLElement, _ name: String) throws(FleetError) -> String {
        guard let text = element.text(name) else { throw malformed("\(element.name) has no \(name)") }
        return text
    }

    static func malformed(_ what: String) -> FleetError {
        FleetError(
            .protocolViolation, what,
            hint: "check that the endpoint is an S3 server and that no proxy changes its answers"
        )
    }

    /// `InitiateMultipartUpload`
    static func uploadID(_ body: [UInt8]) throws(FleetError) -> String {
        let id = try required(try root(body, "InitiateMultipartUploadResult"), "UploadId")
        guard !id.isEmpty else { throw malformed("an upload has no id") }
        return id
    }
}
