import DurableFiles
import FleetPluginAPI

/// Fetches secrets at the moment they are needed.
enum Secrets {
    /// More than this is no password.
    private static let limit: Int64 = 64 << 10

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
                let bytes = try BlockingDisk.read(path, limit: limit)
                var text = String(decoding: bytes, as: UTF8.self)
                if text.hasSuffix("\n") { text.removeLast() }
                return Secret(text)
            } catch {
                var fault = FleetError(error, path)
                fault.code = .configuration
                fault.message = "the secret in \(path) cannot be read"
                throw fault
            }
        }
    }
}
