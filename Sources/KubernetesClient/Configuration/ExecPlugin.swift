import FleetPluginAPI
import FoundationEssentials
import ProcessRunner

/// A program that gets credentials: `exec` of a kubeconfig's user (client.authentication.k8s.io).
struct ExecPlugin: Sendable {
    /// The program as it is to be started: with slashes an absolute path, without one it is looked up in `PATH`.
    var command: String
    var arguments: [String]
    /// Beside what this process has.
    var environment: [String: String]
    var apiVersion: String
    /// What is told to the program; nil where it does not want to know.
    var cluster: JSONValue?
    /// What to do where the program is missing.
    var installHint: String?
    /// For messages: `FILE: users[NAME].exec`.
    var place: String

    static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    /// Time for the program; some of them ask a cloud.
    private static let deadline: Duration = .seconds(60)

    /// What the program gave.
    struct Credential: Sendable {
        var token: Secret?
        var certificate: Secret?
        var key: Secret?
        /// Nil: for as long as the server accepts it.
        var expires: Timestamp?
    }

    /// `KUBERNETES_EXEC_INFO`
    var information: JSONValue {
        var spec: [String: JSONValue] = ["interactive": false]
        if let cluster { spec["cluster"] = cluster }
        return ["apiVersion": .string(apiVersion), "kind": "ExecCredential", "spec": .object(spec)]
    }

    /// Runs the program. It has no terminal and nothing to read.
    ///
    /// - Throws: `configuration` where it is missing, `denied` where it fails or gives nothing to log in with, `timedOut`,
    ///   `protocolViolation`; never with what it gave.
    func run() async throws -> Credential {
        let information = String(decoding: try KubernetesJSON.encode(information), as: UTF8.self)
        let variables = environment.merging(["KUBERNETES_EXEC_INFO": information]) { $1 }
        let program = Command(
            [command] + arguments, environment: .inherited.adding(variables), deadline: Self.deadline)
        let result: ProcessResult
        do {
            result = try await program.run(outputLimit: 1 << 20)
        } catch let error as FleetError where error.code == .notFound {
            throw FleetError(
                .configuration, "\(place): the program “\(command)” is not there",
                hint: installHint ?? "install it, or give its whole path")
        } catch let error as FleetError {
            throw error.during(place)
        }
        guard result.status.isSuccess else {
            throw FleetError(
                .denied, "\(place): the program “\(command)” got no credentials",
                cause: "\(result.status); \(Self.lastLines(result.errorText))",
                hint: "log in again as the program wants it, then try again")
        }
        return try credential(result.output)
    }

    func credential(_ output: [UInt8]) throws -> Credential {
        let answer = try? KubernetesJSON.decode(output, from: "")
        guard let answer, answer["kind"]?.string == "ExecCredential", answer["apiVersion"]?.string == apiVersion else {
            throw FleetError(
                .protocolViolation,
                "\(place): the program “\(command)” did not answer with an ExecCredential of \(apiVersion)")
        }
        let status = answer["status"]
        func secret(_ name: String) -> Secret? {
            status?[name]?.string.flatMap { $0.isEmpty ? nil : Secret($0) }
        }
        var credential = Credential(
            token: secret("token"), certificate: secret("clientCertificateData"), key: secret("clientKeyData"))
        guard credential.token != nil || (credential.certificate != nil && credential.key != nil) else {
            throw FleetError(
                .denied, "\(place): the program “\(command)” gave neither a token nor a client certificate with its key"
            )
        }
        if let text = status?["expirationTimestamp"]?.string {
            guard let expires = Timestamp(rfc3339: text) else {
                throw FleetError(
                    .protocolViolation, "\(place): the program “\(command)” gave an expirationTimestamp that is no time"
                )
            }
            credential.expires = expires
        }
        return credential
    }

    private static func lastLines(_ text: String) -> String {
        String(text.split { $0.isNewline }.suffix(3).joined(separator: "; ").suffix(500))
    }
}
