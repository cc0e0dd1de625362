import FleetPluginAPI
import UnixSignals

/// `fleet agent pod-task [--deadline MILLISECONDS] [--prepare DIRECTORY] [--owned-like PATH]… [--owner USER] --
/// PROGRAM ARGUMENTS…`: the first process of a task's container.
///
/// Runs the program as the owner of the data where the container begins as root, numbers and names what it writes (see
/// `WrappedLine`), hands on SIGTERM and ends it at the deadline. Its exit status is the program's: 124 at the
/// deadline, 126 and 127 as a shell has them.
enum PodTaskVerb {
    static let name = "pod-task"
    static let verb = InternalVerb(name: name) { arguments in
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        guard let call = PodTaskCall(arguments) else {
            VerbOutput.complain("usage: fleet agent pod-task [--deadline MILLISECONDS] … -- PROGRAM …")
            return ExitStatus.usage.rawValue
        }
        return await PodTask(call: call).run(until: signals)
    }
}
