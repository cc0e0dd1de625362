import FleetPluginAPI
import FleetTestSupport
import Testing

@testable import S3Storage

@Suite struct UploadTests {
    private static let large = pattern(17 << 20)

    @Test(arguments: ["sha256", "md5", "none"]) func largeObjectsGoInParts(_ checksum: String) async throws {
        var place = try await Place.real()
        place.options = ["partSize": "5MiB", "parallelParts": 3, "checksum": .string(checksum)]
        let storage = try await place.ready()
        try await storage.put("packs/large", Self.large, condition: .absent)
        #expect(try await storage.get("packs/large") == Self.large)
        #expect(try await storage.head("packs/large")?.size == Int64(Self.large.count))
        let range = Int64(5 << 20) - 7..<Int64(5 << 20) + 7
        #expect(
            try await storage.get("packs/large", range: range)
                == Array(Self.large[Int(range.lowerBound)..<Int(range.upperBound)]))
        let again = await failure { try await storage.put("packs/large", Self.large.reversed(), condition: .absent) }
        #expect(again?.code == .alreadyExists)
        #expect(try await storage.get("packs/large", range: 0..<100) == Array(Self.large.prefix(100)))
        try await storage.put("packs/large", Self.large.reversed(), condition: .any)
        #expect(try await storage.get("packs/large") == Self.large.reversed())
        #expect(try await storage.uploads().isEmpty)
    }

    @Test func ofManyLargeCreatesOneWins() async throws {
        var place = try await Place.real()
        place.options = ["partSize": "5MiB"]
        let storage = try await place.ready()
        let results = await withTaskGroup(of: FleetError.Code?.self) { group in
            for writer in UInt8(1)...4 {
                group.addTask {
                    let bytes = [UInt8](repeating: writer, count: 6 << 20)
                    return await failure { try await storage.put("contested", bytes, condition: .absent) }?.code
                }
            }
            return await group.reduce(into: [FleetError.Code?]()) { $0.append($1) }
        }
        #expect(results.filter { $0 == nil }.count == 1, "\(results)")
        #expect(results.allSatisfy { $0 == nil || $0 == .alreadyExists }, "\(results)")
        #expect(Set(try await storage.get("contested")).count == 1)
        #expect(try await storage.uploads().isEmpty)
    }

    @Test func uploadsThatDiedAreRemovedWhenTheyAreOld() async throws {
        var place = try await Place.real()
        place.options = ["prefix": "mine"]
        let storage = try await place.ready()
        place.options = ["prefix": "mine-not"]
        let other = try await place.ready()
        let id = try await storage.begin(.init(key: "mine/dead", bytes: [], isConditional: false))
        _ = try await storage.send(1, [1], "mine/dead", id)
        _ = try await other.begin(.init(key: "mine-not/alive", bytes: [], isConditional: false))
        try await storage.prepare()
        #expect(try await storage.uploads().map(\.key) == ["mine/dead"], "a young one may be alive")
        try await storage.removeLeftovers(before: Timestamp.now + .seconds(60))
        #expect(try await storage.uploads().isEmpty)
        #expect(try await other.uploads().map(\.key) == ["mine-not/alive"])
        #expect(try await storage.listAll("").isEmpty)

        let old = try OtherServer()
        defer { old.server.stop() }
        old.leaveUploads(["a/dead", "b/dead"])
        _ = try await Place(endpoint: old.server.url, bucket: "backups").ready()
        #expect(old.uploads.isEmpty)
    }

    /// A server that does not know the condition, or refuses it, must not be taken for one that honours it.
    @Test(arguments: [false, true]) func whatAServerCannotDoIsNotPromised(_ refuses: Bool) async throws {
        let server = try OtherServer(.init(honoursConditions: false, refusesConditions: refuses, makesMD5Tags: false))
        defer { server.server.stop() }
        var place = Place(endpoint: server.server.url, bucket: "backups")
        let storage = try await place.ready()
        #expect(!storage.features.conditionalCreate && storage.found.known?.etagIsMD5 == false)
        let error = await failure { try await storage.put("a", [1], condition: .absent) }
        #expect(error?.code == .unsupported && error?.hint?.contains("conditionalCreate: emulated") == true)
        #expect(try await storage.head("a") == nil)
        try await storage.put("a", [1], condition: .any)
        #expect(try await storage.get("a") == [1])

        place.options["conditionalCreate"] = "emulated"
        let emulating = try place.storage()
        let taken = await failure { try await emulating.put("a", [2], condition: .absent) }?.code
        #expect(taken == .alreadyExists)
        try await emulating.put("b", [2], condition: .absent)
        #expect(try await emulating.get("b") == [2] && !emulating.features.conditionalCreate)
        #expect(server.keys == [StorageMarker.name, "a", "b"])
    }

    @Test func whatObjectsAreStoredWithIsAsked() async throws {
        let server = try OtherServer()
        defer { server.server.stop() }
        var place = Place(endpoint: server.server.url, bucket: "backups")
        place.options = [
            "encryption": "aws:kms", "kmsKey": "arn:aws:kms:eu-west-1:1:key/2", "storageClass": "STANDARD_IA",
            "objectLock": "compliance", "retainDays": 30,
        ]
        place.clock = { Timestamp(microseconds: 1_764_124_448_123_456) }
        let storage = try await place.ready()
        #expect(storage.features.objectLock && storage.features.versioning)
        let trials = server.requests.filter { $0.line.contains(Probe.prefix) && $0.line.hasPrefix("PUT") }
        #expect(!trials.isEmpty && trials.allSatisfy { $0.header("x-amz-object-lock-mode") == nil })
        server.forget()
        try await storage.put("a", Array("hello".utf8), condition: .any)
        let request = try #require(server.requests.last)
        let expected = [
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-west-1:1:key/2",
            "x-amz-storage-class": "STANDARD_IA", "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": "2025-12-26T02:34:08Z",
            "x-amz-checksum-sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            "x-amz-content-sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        ]
        for (name, value) in expected {
            #expect(request.header(name) == value, "\(name)")
            #expect(request.header("authorization")?.contains(name) == true, "\(name) is not signed")
        }
    }
}
