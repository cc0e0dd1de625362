import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import S3Storage

@Suite struct ConformanceTests {
    @Test(arguments: StorageConformance.cases)
    func theRealServerConforms(_ rule: StorageConformance.Rule) async throws {
        try await rule.check(Place.real().ready())
    }

    /// The other ways to the same server: TLS, the bucket in the host's name, below a prefix, nothing signed.
    @Test(arguments: StorageConformance.cases)
    func itConformsOverTLSAndVirtualHosts(_ rule: StorageConformance.Rule) async throws {
        let server = try await S3Server.shared()
        let place = Place(
            endpoint: server.tlsEndpoint, bucket: try await server.makeBucket(),
            options: [
                "addressing": "virtual-host", "prefix": "back ups/é+~", "caFile": .string(server.authorityFile),
                "signPayload": false, "checksum": "md5",
            ])
        try await rule.check(place.ready())
    }

    /// One that sorts lists by bytes and cuts them into pages of three.
    @Test(arguments: StorageConformance.cases)
    func aServerWithSortedListsConforms(_ rule: StorageConformance.Rule) async throws {
        let server = try OtherServer()
        defer { server.server.stop() }
        let storage = try await Place(endpoint: server.server.url, bucket: "backups").ready()
        #expect(storage.found.known?.listsInOrder == true)
        try await rule.check(storage)
    }

    /// What was found out about a server is kept with the repository, and not believed of another server.
    @Test func aCopyOnAnotherServerIsTriedOutAnew() async throws {
        let place = try await Place.real()
        let storage = try await place.ready()
        try await storage.put("a-b", [1], condition: .any)
        try await storage.put("a/b", [2], condition: .any)
        let expected = Capabilities(conditionalCreate: true, listsInOrder: false, etagIsMD5: true)
        #expect(storage.found.known == expected)
        let other = try place.storage()
        #expect(!other.features.conditionalCreate)
        _ = try await other.head("a/b")
        #expect(other.features.conditionalCreate && other.found.certain == expected)

        let strange = StorageMarker(bucket: place.bucket, server: "Elsewhere", capabilities: expected)
        try await storage.put(.init(key: StorageMarker.name, bytes: strange.encoded(), isConditional: false))
        let copy = try place.storage()
        #expect(try await copy.listAll("").map(\.key) == ["a-b", "a/b"])
        #expect(copy.found.certain == nil && !copy.features.conditionalCreate)
        try await copy.put("c", [3], condition: .absent)
        #expect(copy.found.certain == expected)
        // Nothing is left of the trials.
        let all = try await storage.bucketPage("", after: nil, nil, limit: 1000).objects.map(\.key)
        #expect(Set(all) == [StorageMarker.name, "a-b", "a/b", "c"])
    }
}
