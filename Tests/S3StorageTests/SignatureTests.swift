import Crypto
import FleetPluginAPI
import Testing

@testable import S3Storage

/// AWS's published vectors: the cases of `aws-sig-v4-test-suite` whose paths need no normalization, which S3 does not do,
/// and the examples of "Authenticating Requests: Using the Authorization Header" in S3's API reference.
@Suite struct SignatureTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var path = "/"
        var query: [(String, String)] = []
        var headers: [(String, String)] = []
        var body = ""
        var names: String
        var signature: String
        var testDescription: String { name }
    }

    private static let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    private static let token =
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUu"
        + "wthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8"
        + "YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2"
        + "ICCR/oLxBA=="

    static let suite: [Case] = [
        Case(
            name: "get-vanilla", names: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Case(
            name: "get-vanilla-empty-query-key", query: [("Param1", "value1")], names: "host;x-amz-date",
            signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        Case(
            name: "get-vanilla-query-order-key-case", query: [("Param2", "value2"), ("Param1", "value1")],
            names: "host;x-amz-date", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Case(
            name: "get-vanilla-query-order-encoded",
            query: [("Param-3", "Value3"), ("Param", "Value2"), ("ሴ", "Value1")],
            names: "host;x-amz-date", signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
        Case(
            name: "get-vanilla-query-unreserved", query: [(unreserved, unreserved)], names: "host;x-amz-date",
            signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        Case(
            name: "get-vanilla-utf8-query", query: [("ሴ", "bar")], names: "host;x-amz-date",
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        Case(
            name: "get-unreserved", path: "/" + unreserved, names: "host;x-amz-date",
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        Case(
            name: "get-utf8", path: "/ሴ", names: "host;x-amz-date",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Case(
            name: "get-space", path: "/example space/", names: "host;x-amz-date",
            signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        Case(
            name: "get-slashes-unnormalized", path: "//example//", names: "host;x-amz-date",
            signature: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
        Case(
            name: "get-header-key-duplicate",
            headers: [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
            names: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
        Case(
            name: "get-header-value-trim", headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            names: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Case(
            name: "post-vanilla", method: "POST", names: "host;x-amz-date",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Case(
            name: "post-vanilla-query", method: "POST", query: [("Param1", "value1")], names: "host;x-amz-date",
            signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        Case(
            name: "post-header-key-sort", method: "POST", headers: [("My-Header1", "value1")],
            names: "host;my-header1;x-amz-date",
            signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        Case(
            name: "post-header-value-case", method: "POST", headers: [("My-Header1", "VALUE1")],
            names: "host;my-header1;x-amz-date",
            signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        Case(
            name: "post-sts-header-before", method: "POST", headers: [("X-Amz-Security-Token", token)],
            names: "host;x-amz-date;x-amz-security-token",
            signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
        Case(
            name: "post-x-www-form-urlencoded", method: "POST",
            headers: [("Content-Type", "application/x-www-form-urlencoded")], body: "Param1=value1",
            names: "content-type;host;x-amz-date",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ]

    @Test(arguments: suite) func theSuiteSignsAsAWSDoes(_ vector: Case) throws {
        let date = try #require(Timestamp(rfc3339: "2015-08-30T12:36:00Z"))
        let keys = S3Keys(
            accessKey: Secret("AKIDEXAMPLE"), secretKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
        let signature = Signature(region: "us-east-1", service: "service", date: date)
        let value = signature.authorization(
            .init(
                method: vector.method, path: PercentEncoding.encode(vector.path, keepsSlash: true), query: vector.query,
                headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", signature.dateText)] + vector.headers,
                payloadHash: PercentEncoding.hex(SHA256.hash(data: Array(vector.body.utf8)))), keys)
        value.reveal { value in
            #expect(
                value == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                    + "SignedHeaders=\(vector.names), Signature=\(vector.signature)")
        }
    }

    static let s3Examples: [Case] = [
        Case(
            name: "GET object, a range", path: "/test.txt", headers: [("Range", "bytes=0-9")],
            names: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Case(
            name: "PUT object", method: "PUT", path: "/test$file.text",
            headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            body: "Welcome to Amazon S3.", names: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Case(
            name: "GET bucket lifecycle", query: [("lifecycle", "")], names: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Case(
            name: "GET bucket, list", query: [("prefix", "J"), ("max-keys", "2")],
            names: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test(arguments: s3Examples) func theExamplesOfS3SignAsAWSDoes(_ vector: Case) throws {
        let date = try #require(Timestamp(rfc3339: "2013-05-24T00:00:00Z"))
        let keys = S3Keys(
            accessKey: Secret("AKIAIOSFODNN7EXAMPLE"), secretKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
        let signature = Signature(region: "us-east-1", date: date)
        let hash = PercentEncoding.hex(SHA256.hash(data: Array(vector.body.utf8)))
        let fixed = [
            ("host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", signature.dateText),
            ("x-amz-content-sha256", hash),
        ]
        let value = signature.authorization(
            .init(
                method: vector.method, path: PercentEncoding.encode(vector.path, keepsSlash: true), query: vector.query,
                headers: fixed + vector.headers, payloadHash: hash), keys)
        value.reveal { value in
            #expect(value.hasSuffix("SignedHeaders=\(vector.names), Signature=\(vector.signature)"))
        }
    }

    @Test func emptyPayloadIsTheHashOfNothing() {
        #expect(Signature.emptyPayload == PercentEncoding.hex(SHA256.hash(data: [UInt8]())))
    }

    @Test func everyTextSurvivesEncoding() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let scalars = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
                Unicode.Scalar(UInt32.random(in: 0..<0x3000, using: &random)) ?? "+"
            }
            let text = String(String.UnicodeScalarView(scalars))
            let encoded = PercentEncoding.encode(text)
            #expect(PercentEncoding.decode(encoded) == text)
            #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "+") })
        }
        #expect(PercentEncoding.encode("a b+c/d") == "a%20b%2Bc%2Fd")
        #expect(PercentEncoding.decode("a+b%2Bc/d") == "a b+c/d")
        for broken in ["%", "%1", "%zz", "%C3", "a%"] { #expect(PercentEncoding.decode(broken) == nil) }
    }

    @Test func whatAServerRepeatsIsRedacted() {
        let keys = S3Keys(
            accessKey: Secret("AKIDEXAMPLE"), secretKey: Secret("wJalrX/secret"), sessionToken: Secret("the/token=="))
        let text = keys.redact("key AKIDEXAMPLE, secret wJalrX/secret, token the/token==, more")
        #expect(text == "key …, secret …, token …, more")
    }
}
