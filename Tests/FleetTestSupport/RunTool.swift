import FoundationEssentials
import Glibc

/// How a program ended and what it wrote.
public struct ToolResult: Sendable {
    public var argv: [String]
    /// 128 + signal number where a signal ended it.
    public var exitCode: Int32
    public var output: [UInt8]
    public var errors: String

    public var text: String { String(decoding: output, as: UTF8.self) }

    /// This result, if the exit code is zero.
    @discardableResult
    public func checked() throws -> ToolResult {
        guard exitCode == 0 else {
            throw FixtureError("\(argv.joined(separator: " ")) exited with \(exitCode): \(errors)\(text.suffix(2000))")
        }
        return self
    }
}

/// Runs a program to its end and collects what it wrote. Ends it with SIGKILL when the task is cancelled.
public func runTool(
    _ argv: [String], environment: [String: String]? = nil, directory: String? = nil, input: String? = nil
) async throws -> ToolResult {
    let stem = RunDirectory.freshPath("t")
    let (out, err, stdin) = ("\(stem).out", "\(stem).err", "\(stem).in")
    defer { for file in [out, err, stdin] { unlink(file) } }
    if let input { try input.write(toFile: stdin, atomically: false, encoding: .utf8) }
    let child = try await ChildProcess.start(
        argv, environment: environment, directory: directory ?? "/", input: input == nil ? "/dev/null" : stdin,
        output: out, errors: err)
    let exitCode = await withTaskCancellationHandler {
        await child.wait()
    } onCancel: {
        child.signal(SIGKILL)
    }
    return ToolResult(
        argv: argv, exitCode: exitCode, output: contents(out), errors: String(decoding: contents(err), as: UTF8.self))
}

/// The bytes of a file; empty when it cannot be read.
func contents(_ path: String) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return [UInt8](data)
}
