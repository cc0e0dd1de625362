import FoundationEssentials
import Glibc

/// Programs of this package, built with the tests.
public enum BuiltProgram {
    /// Where `name` lies: beside the test program that runs now.
    public static func path(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = [own, CommandLine.arguments.first ?? ""] + CommandLine.arguments.filter { $0.contains(".xctest") }
        for program in beside {
            let path = program.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        throw FixtureError("\(name) is not built: swift build --product \(name)")
    }
}
