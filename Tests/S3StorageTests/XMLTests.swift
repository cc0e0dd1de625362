import FleetPluginAPI
import Testing

@testable import S3Storage

@Suite struct XMLTests {
    private static func parse(_ text: String) throws -> XMLElement { try StrictXML.parse(Array(text.utf8)) }

    @Test func answersAreRead() throws {
        let root = try Self.parse(
            """
             \n<?xml version="1.0" encoding="UTF-8"?>
            <List xmlns="http://s3.amazonaws.com/doc/2006-03-01/" x='&amp;'><Key>a&amp;b&lt;&#39;&#x201C;é</Key>
              <Empty/><Key >two</Key
              ></List >

            """)
        #expect(root.name == "List")
        #expect(root.all("Key").map(\.text) == ["a&b<'“é", "two"])
        #expect(root.text("Empty") == "" && root.text("Missing") == nil)
        #expect(try Self.parse("\u{FEFF}<a>x y</a>").text == "x y")
    }

    @Test(arguments: [
        "", " ", "text", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "</a>", "<a></a></a>", "<a>x<b/></a>",
        "<!DOCTYPE a><a/>", "<a><!-- x --></a>", "<a><![CDATA[x]]></a>", "<a><?pi?></a>", "<?xml version='1.0'",
        "<a>&unknown;</a>", "<a>&amp</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#-5;</a>",
        "<a>&#+5;</a>", "<a>&;</a>", "<a>&#;</a>", "<a b></a>", "<a b=c></a>", "<a b='x></a>", "<a b='<'/>",
        "<a b='x'c='y'/>",
        "<1a/>", "< a/>", "<a>\u{1}</a>", "<a / >",
        String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40),
    ])
    func whatIsNotWellFormedIsRefused(_ text: String) {
        let error = #expect(throws: FleetError.self) { try Self.parse(text) }
        #expect(error?.code == .protocolViolation)
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        #expect(throws: FleetError.self) { try StrictXML.parse([0x3C, 0x61, 0x3E, 0xFF, 0x3C, 0x2F, 0x61, 0x3E]) }
    }

    private static let list = """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix>
        <NextContinuationToken>t/+=</NextContinuationToken><IsTruncated>true</IsTruncated>
        <EncodingType>url</EncodingType><Contents><Key>k/%C3%A9+%2Bx~</Key><LastModified>2026-01-02T03:04:05.678Z\
        </LastModified><ETag>&quot;00&quot;</ETag><Size>5000000000</Size></Contents></ListBucketResult>
        """

    @Test func listsAreRead() throws {
        let page = try ObjectPage(Array(Self.list.utf8))
        #expect(page.continuation == "t/+=")
        #expect(page.objects.map(\.key) == ["k/é +x~"] && page.objects[0].size == 5_000_000_000)
        #expect(page.objects[0].modified.description == "2026-01-02T03:04:05.678000Z")
        let plain = Self.list.replacing("<EncodingType>url</EncodingType>", with: "")
        #expect(try ObjectPage(Array(plain.utf8)).objects.map(\.key) == ["k/%C3%A9+%2Bx~"])
    }

    @Test(arguments: [
        ("<Size>5000000000</Size>", "<Size>-1</Size>"), ("<Size>5000000000</Size>", ""), ("k/%C3", "k/%C"),
        ("2026-01-02", "2026-13-02"), ("true", "yes"), ("<IsTruncated>true</IsTruncated>", ""),
        ("<NextContinuationToken>t/+=</NextContinuationToken>", ""), ("ListBucketResult", "ListBuckets"),
    ])
    func listsThatMakeNoSenseAreRefused(_ text: String, _ replacement: String) {
        let broken = Self.list.replacing(text, with: replacement)
        #expect(throws: FleetError.self) { try ObjectPage(Array(broken.utf8)) }
    }

    @Test func uploadsAreRead() throws {
        let text = """
            <ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <NextKeyMarker>a%2Fb</NextKeyMarker><NextUploadIdMarker>7</NextUploadIdMarker>
            <Upload><Initiated>2026-11-26T02:14:08Z</Initiated><Key>a+b</Key><UploadId>u</UploadId></Upload>
            </ListMultipartUploadsResult>
            """
        let page = try UploadPage(Array(text.utf8))
        #expect(page.uploads.map(\.key) == ["a b"] && page.uploads[0].id == "u")
        #expect(page.next?.key == "a/b" && page.next?.id == "7")
    }

    @Test func errorsAreReadAsFarAsTheyCanBe() {
        let text =
            "<Error><Code>NoSuchKey</Code><Message>It\u{9}is &#10;gone</Message><Region>eu-west-1</Region></Error>"
        let error = ErrorAnswer(Array(text.utf8))
        #expect(error.code == "NoSuchKey" && error.message == "It is  gone" && error.region == "eu-west-1")
        #expect(ErrorAnswer(Array("<html>404</html>".utf8)).code == "")
        #expect(ErrorAnswer(Array("<Error><Region>evil.example/</Region></Error>".utf8)).region == nil)
        #expect(ErrorAnswer([]).code == "")
    }

    /// Nothing crashes the parser, and what it accepts it has read to the end.
    @Test func damagedAnswersAreRefusedOrRead() throws {
        let pieces = [
            "<", ">", "</", "/>", "&amp;", "&#", ";", "<Key>", "</Key>", "<?xml", "?>", "'", "\"", "=", " ", "]]>",
            "<!--",
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<4000 {
            var bytes = Array(Self.list.utf8)
            for _ in 0...Int.random(in: 0..<3) {
                let position = Int.random(in: 0..<bytes.count)
                switch Int.random(in: 0..<4) {
                case 0: bytes[position] = .random(in: .min ... .max)
                case 1: bytes.removeSubrange(position..<min(bytes.count, position + .random(in: 0..<9)))
                case 2: bytes.insert(contentsOf: pieces.randomElement() ?? [], at: position)
                default: bytes.removeSubrange(position...)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            if (try? StrictXML.parse(bytes)) != nil { accepted += 1 }
            _ = try? ObjectPage(bytes)
            _ = try? UploadPage(bytes)
            _ = ErrorAnswer(bytes)
        }
        // Changed text is still an answer, so some are.
        #expect(accepted > 0 && accepted < 4000)
        // Every prefix of an answer is refused.
        let bytes = Array(Self.list.utf8)
        for count in 0..<bytes.count {
            #expect(throws: FleetError.self) { try StrictXML.parse(Array(bytes.prefix(count))) }
        }
    }
}
