@testable import FleetCommands
import FleetPluginAPI
import FleetTestSupport
import Testing

@Suite("Which fleet.yaml is meant")
struct ConfigurationFileTests {
    @Test("the one named, else the variable's, else the nearest above")
    func order() async throws {
        try await withScratch { scratch in
            let file = try scratch.write("kind: Fleet", to: "fleet.yaml")
            let deep = try scratch.directory("a/b/c")
            #expect(try ConfigurationFile.find("x.yaml", from: deep, variable: "v.yaml") == "x.yaml")
            #expect(try ConfigurationFile.find(nil, from: deep, variable: "v.yaml") == "v.yaml")
            #expect(try ConfigurationFile.find(nil, from: deep, variable: "") == file)
            #expect(try ConfigurationFile.find(nil, from: deep, variable: nil) == file)
        }
    }

    @Test("none at all is a mistake of the configuration, with a way out")
    func none() async throws {
        try await withScratch { scratch in
            let error = #expect(throws: FleetError.self) {
                try ConfigurationFile.find(nil, from: scratch.path, variable: nil)
            }
            #expect(error?.code == .configuration)
            #expect(error?.hint?.contains("--config") == true)
        }
    }

    @Test("secrets are read without the line feed that editors add, and their absence names the reference alone")
    func secrets() async throws {
        try await withScratch { scratch in
            let file = try scratch.write("s3cret\n", to: "password")
            let read = try await Secrets.resolve(.file(file))
            #expect(read.reveal { $0 } == "s3cret")
            let missing = await #expect(throws: FleetError.self) {
                _ = try await Secrets.resolve(.file(scratch.path("none")))
            }
            #expect(missing?.code == .configuration)
            let unset = await #expect(throws: FleetError.self) {
                _ = try await Secrets.resolve(.environment("FLEET_TEST_UNSET"))
            }
            #expect(unset?.message.contains("FLEET_TEST_UNSET") == true)
            let printed = try await Secrets.resolve(.command(["/bin/sh", "-c", "echo s3cret $0", "and more"]))
            #expect(printed.reveal { $0 } == "s3cret and more")
            for words in [
                ["/bin/false", "x"], ["/bin/true"], ["/nonexistent/kms"], ["/bin/sh", "-c", "echo a; exit 3"],
            ] {
                let error = await #expect(throws: FleetError.self) { _ = try await Secrets.resolve(.command(words)) }
                #expect(error?.code == .configuration && error?.message.contains("did not give the secret") == true)
            }
        }
    }
}
