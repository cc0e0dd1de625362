import DurableFiles
import FleetPluginAPI
import FoundationEssentials
import Glibc

/// `fleet agent volume VERB DIRECTORY [TAG]`: looks at the data directory of a stopped server, or moves it aside and
/// back within its volume. Says what it found as a line of JSON.
enum VolumeVerb {
    static let name = "volume"
    static let verb = InternalVerb(name: name) { arguments in
        guard arguments.count >= 2, let act = Act(rawValue: arguments[0]) else {
            VerbOutput.complain("usage: fleet agent volume look|set-aside|put-back|discard-aside DIRECTORY [TAG]")
            return ExitStatus.usage.rawValue
        }
        let (directory, tag) = (arguments[1], arguments.count > 2 ? arguments[2] : "")
        return await VerbOutput.reporting("\(act.rawValue) \(directory)") {
            try await Disk().run {
                switch act {
                case .look: VerbOutput.say(try VolumeFacts.look(directory).line)
                case .setAside: try AsideDirectory(directory, tag).setAside()
                case .putBack: try AsideDirectory(directory, tag).putBack()
                case .discardAside: try AsideDirectory(directory, tag).discard()
                }
            }
        }
    }

    enum Act: String, Sendable {
        case look
        case setAside = "set-aside"
        case putBack = "put-back"
        case discardAside = "discard-aside"
    }
}
