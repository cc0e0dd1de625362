import DurableFiles
public import FleetPluginAPI
import Glibc
import ProcessRunner

extension HostPlatform {
    public func query(_ query: PlaceQuery, of instance: Instance) async throws -> QueryAnswer {
        let host = try await HostInstance.resolve(instance, on: disk)
        let command = Command(
            query.argv, environment: .minimal.adding(query.environment),
            secrets: try await query.secrets.resolved(context.resolve), workingDirectory: "/",
            user: host.owner.userID == geteuid() ? nil : host.owner, deadline: query.deadline)
        let result = try await command.run(outputLimit: query.outputLimit)
        guard !result.isOutputCut else {
            throw FleetError(
                .exhausted, "\(command.name) said more than \(query.outputLimit) bytes beside \(instance.name)")
        }
        return QueryAnswer(
            exitStatus: result.status.shellCode, output: result.output, errors: result.errorText)
    }
}
