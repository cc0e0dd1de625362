import FleetPluginAPI
import HTTPClient

/// What a server says at a program's end, on channel 3: a `Status`.
enum ExecStatus {
    /// The exit code.
    ///
    /// - Throws: what the server says where the program could not be run.
    static func code(_ bytes: [UInt8], _ access: AccessCheck, _ client: KubernetesClient) throws -> Int32 {
        let where_ = "\(client.configuration.contextName): \(access)"
        let status = try KubernetesJSON.decode(bytes, from: where_)
        if status["status"]?.string == "Success" { return 0 }
        let causes = status["details"]?["causes"]?.array ?? []
        if status["reason"]?.string == "NonZeroExitCode",
            let text = causes.first(where: { $0["reason"]?.string == "ExitCode" })?["message"]?.string,
            let code = Int32(text)
        {
            return code
        }
        throw FleetError(.failed, "\(where_): the program could not be run", cause: status["message"]?.string)
    }
}
