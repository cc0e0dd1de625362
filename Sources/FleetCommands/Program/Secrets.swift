import DurableFiles
import FleetPluginAPI
import ProcessRunner

/// Fetches secrets at the moment they are needed.
enum Secrets {
    /// More than this is no password.
    private static let limit: Int64 = 64 << 10
    private static let disk = Disk()

    static let resolve: SecretResolver = { reference in
        switch reference {
        case .environment(let name):
            guard let value = Process.variable(name), !value.isEmpty else {
                throw FleetError(
                    .configuration, "the environment variable \(name) is not set",
                    hint: "it holds a secret of fleet.yaml")
            }
            return Secret(value)
        case .file(let path):
            do {
                return text(try await disk.run { try BlockingDisk.read(path, limit: limit) })
            } catch {
                var fault = FleetError(error, path)
                fault.code = .configuration
                fault.message = "the secret in \(path) cannot be read"
                throw fault
            }
        case .command(let words): return try await print(words)
        }
    }

    /// What a program prints. It is asked each time: nothing is kept.
    private static func print(_ words: [String]) async throws -> Secret {
        let command = Command(words, environment: .inherited, deadline: .seconds(30))
        do {
            let result = try await command.checked(outputLimit: Int(limit))
            guard !result.output.isEmpty, !result.isOutputCut else {
                throw FleetError(.failed, result.isOutputCut ? "it printed too much" : "it printed nothing")
            }
            return text(result.output)
        } catch let error as CancellationError {
            throw error
        } catch {
            var fault = FleetError(error, command.name)
            fault.code = .configuration
            fault.cause = [fault.message, fault.cause].compactMap { $0 }.joined(separator: ": ")
            fault.message = "the program \(command.name) did not give the secret that fleet.yaml asks it for"
            throw fault
        }
    }

    private static func text(_ bytes: [UInt8]) -> Secret {
        var text = String(decoding: bytes, as: UTF8.self)
        if text.hasSuffix("\n") { text.removeLast() }
        return Secret(text)
    }
}
