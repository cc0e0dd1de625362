import FleetPluginAPI
import KubernetesClient

/// What is done to an object that would bring a workload back, so that it leaves it alone.
struct Pause: Hashable, Sendable {
    var target: ObjectReference
    /// What it is to the workload: `the KEDA ScaledObject prod/backend`.
    var title: String
    /// What it does, for people.
    var effect: String
    var settings: [Setting]
    /// Who holds it paused, as it was read.
    var note: PauseNote?
    var isInEffect: Bool

    /// - Parameter object: the target as it was read.
    init(_ object: JSONValue, _ target: ObjectReference, title: String, effect: String, settings: [Setting]) throws {
        self.target = target
        self.title = title
        self.effect = effect
        self.settings = settings
        note = try PauseNote.read(object, target)
        isInEffect = Self.isInEffect(settings, object)
    }

    static func isInEffect(_ settings: [Setting], _ object: JSONValue) -> Bool {
        settings.allSatisfy { object[path: $0.path] == $0.value }
    }

    /// A member that is set while the pause lasts.
    struct Setting: Hashable, Sendable {
        var path: [String]
        var value: JSONValue
    }

    static func annotation(_ name: String, _ value: String) -> Setting {
        Setting(path: ["metadata", "annotations", name], value: .string(value))
    }

    static let suspended = Setting(path: ["spec", "suspend"], value: true)

    /// A pause that this workload holds, as its record has it.
    struct Held: Hashable, Sendable, Codable {
        var object: ObjectReference
        var title: String
        var before: [Before]
    }

    /// A member as it was before the first pause; nil: it was not there.
    struct Before: Hashable, Sendable, Codable {
        var path: [String]
        var value: JSONValue?
    }
}

/// Who holds an object paused, and what it was before: an annotation of that object, so that several workloads can
/// share one and the last of them puts it back.
struct PauseNote: Hashable, Sendable, Codable {
    static let annotation = "fleet.dev/paused"
    static let path = ["metadata", "annotations", annotation]

    var before: [Pause.Before]
    /// By workload.
    var holders: [String: Holder]

    struct Holder: Hashable, Sendable, Codable {
        /// The run that took it down.
        var run: String
        /// How many copies there were then: what was paused may take them away before the workload's own record is
        /// written.
        var replicas: Int
    }

    static func read(_ object: JSONValue, _ reference: ObjectReference) throws -> PauseNote? {
        guard let value = object[path: path] else { return nil }
        return try JSONText.decode(
            PauseNote.self, value.string ?? "", from: "the annotation \(annotation) of \(reference)")
    }
}
