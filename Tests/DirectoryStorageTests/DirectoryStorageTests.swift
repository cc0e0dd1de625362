import DirectoryStorage
import DurableFiles
import FleetPluginAPI
import FleetTestSupport
import Glibc
import Testing

func withStorage(_ body: (DirectoryStorage, ScratchDirectory) async throws -> Void) async throws {
    try await withScratch { scratch in
        let storage = try DirectoryStorage(name: "local", root: scratch.path("mount/repository"))
        try await storage.prepare()
        try await body(storage, scratch)
    }
}

@Suite struct DirectoryStorageTests {
    @Test(arguments: StorageConformance.cases)
    func conforms(_ rule: StorageConformance.Rule) async throws {
        try await withStorage { storage, _ in try await rule.check(storage) }
    }

    /// An unmounted disk: the mount point is there or not, the repository is not.
    @Test(arguments: ["missing", "empty"])
    func aRepositoryThatVanishedIsNotAnEmptyOne(_ how: String) async throws {
        try await withStorage { storage, scratch in
            try await storage.put("a/b", [1], condition: .any)
            let root = scratch.path("mount/repository")
            try BlockingDisk.rename(root, to: scratch.path("elsewhere"))
            if how == "empty" { try BlockingDisk.makeDirectories(root) }

            let calls: [(String, () async throws -> Void)] = [
                ("list", { _ = try await storage.list("", after: nil, limit: 1) }),
                ("list below", { _ = try await storage.list("a/", after: nil, limit: 1) }),
                ("get", { _ = try await storage.get("a/b") }),
                ("head", { _ = try await storage.head("a/b") }),
                ("put", { try await storage.put("a/c", [1], condition: .any) }),
                ("create", { try await storage.put("a/c", [1], condition: .absent) }),
                ("delete", { try await storage.delete("a/b") }),
                ("usage", { _ = try await storage.usage() }),
            ]
            for (name, call) in calls {
                let error = await #expect(throws: FleetError.self, "\(name)") { try await call() }
                #expect(error?.code == .unavailable, "\(name)")
                #expect(error?.message.contains("local") == true)
                #expect(error?.hint?.contains("mount") == true)
            }
            if how == "missing" { #expect(try BlockingDisk.status(root) == nil) }

            _ = try BlockingDisk.removeTree(root)
            try BlockingDisk.rename(scratch.path("elsewhere"), to: root)
            #expect(try await storage.get("a/b") == [1])
        }
    }

    @Test func whatDeadWritersLeftIsNeitherListedNorKept() async throws {
        try await withStorage { storage, scratch in
            try await storage.put("d/object", [1], condition: .any)
            let root = scratch.path("mount/repository")
            let (old, new) = ("\(root)/d/.x.tmp-0123456789abcdef", "\(root)/d/.y.tmp-0123456789abcdef")
            for path in [old, new] { try BlockingDisk.write([1], to: path) }
            let times = [
                timeval(tv_sec: time(nil) - 90_000, tv_usec: 0), timeval(tv_sec: time(nil) - 90_000, tv_usec: 0),
            ]
            utimes(old, times)
            #expect(try await storage.listAll("").map(\.key) == ["d/object"])
            try await storage.prepare()
            #expect(try BlockingDisk.status(old) == nil)
            #expect(try BlockingDisk.status(new) != nil)
            #expect(try await storage.get("d/object") == [1])
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func rootLeavesWhatItStoresToTheOwner() async throws {
        try await withScratch { scratch in
            let root = scratch.path("repository")
            let storage = try DirectoryStorage(name: "local", root: root, owner: "nobody")
            try await storage.prepare()
            try await storage.put("deep/er/object", [1], condition: .any)
            let owner = try #require(try BlockingDisk.status(root)).owner
            #expect(owner.user != 0)
            for key in ["deep", "deep/er", "deep/er/object", ".fleet-storage"] {
                #expect(try BlockingDisk.status("\(root)/\(key)")?.owner == owner)
            }
        }
    }

    @Test func anUnknownOwnerIsAMistakeInTheConfiguration() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let storage = try DirectoryStorage(name: "local", root: scratch.path("r"), owner: "no-such-user-here")
            let error = await #expect(throws: FleetError.self) { try await storage.prepare() }
            #expect(error?.code == .configuration)
        }
    }

    @Test func aRelativePathIsRefused() {
        let error = #expect(throws: FleetError.self) { try DirectoryStorage(name: "local", root: "relative") }
        #expect(error?.code == .configuration)
    }

    @Test func anObjectWhereADirectoryIsNeededIsNoConflictOfKeys() async throws {
        try await withStorage { storage, _ in
            try await storage.put("a", [1], condition: .any)
            let error = await #expect(throws: FleetError.self) { try await storage.put("a/b", [1], condition: .absent) }
            #expect(error?.code == .failed)
            #expect(try await storage.get("a") == [1])
        }
    }

    /// More names than a page, in a directory of their own.
    @Test func aLargeDirectoryIsListedInPages() async throws {
        try await withStorage { storage, scratch in
            for index in 0..<3000 {
                let path = scratch.path("mount/repository/wal/\(index)")
                if index == 0 { try BlockingDisk.write([], to: path) }
                close(open(path, O_CREAT | O_WRONLY, 0o600))
            }
            #expect(try await storage.listAll("wal/").count == 3000)
            var count = 0
            var cursor: String?
            repeat {
                let page = try await storage.list("wal/", after: cursor, limit: 250)
                count += page.objects.count
                cursor = page.next
            } while cursor != nil
            #expect(count == 3000)
        }
    }
}
