import FleetPluginAPI
import Glibc
import HostPlatform
import ProcessScaler

// What `fleet agent` is to plugins that run their own code in processes of their own: the same verbs and nothing else.
let verbs = HostPlatform.internalVerbs + ProcessScaler.internalVerbs
let arguments = CommandLine.arguments
guard arguments.count > 2, arguments[1] == "agent", let verb = verbs.first(where: { $0.name == arguments[2] }) else {
    exit(ExitStatus.usage.rawValue)
}
exit(await verb.run(Array(arguments.dropFirst(3))))
