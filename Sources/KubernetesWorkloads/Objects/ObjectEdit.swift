import FleetPluginAPI
import KubernetesClient

/// A JSON patch in the making: changes to an object as it was read, each with what makes it safe.
struct ObjectEdit: Sendable {
    private(set) var operations: [JSONPatchOperation] = []
    private var object: JSONValue

    /// - Parameter isExact: nothing is changed unless the object is the very version that was read.
    init(_ object: JSONValue, isExact: Bool = false) {
        self.object = object
        if let uid = object.objectUID { operations.append(.test("/metadata/uid", .string(uid))) }
        if isExact { requireVersion() }
    }

    /// Nothing is changed unless `path` still holds what was read.
    mutating func require(_ path: [String]) {
        if let value = object[path: path] {
            operations.append(.test(Self.pointer(path), value))
        } else {
            requireVersion()
        }
    }

    /// Sets a member; nil removes it. Objects on the way that are missing are made.
    mutating func set(_ path: [String], _ value: JSONValue?) {
        let present = object[path: path]
        guard present != value else { return }
        switch (present, value) {
        case (_, nil): operations.append(.remove(Self.pointer(path)))
        case (nil, let value?):
            for length in 1..<path.count where object[path: Array(path.prefix(length))] == nil {
                // Adding an object that has come into being since would empty it.
                requireVersion()
                operations.append(.add(Self.pointer(Array(path.prefix(length))), [:]))
                object.put(Array(path.prefix(length)), [:])
            }
            operations.append(.add(Self.pointer(path), value))
        case (_, let value?): operations.append(.replace(Self.pointer(path), value))
        }
        object.put(path, value)
    }

    /// Whether it changes nothing.
    var isEmpty: Bool {
        operations.allSatisfy { if case .test = $0 { true } else { false } }
    }

    var patch: KubernetesPatch { .json(operations) }

    private mutating func requireVersion() {
        guard let version = object.resourceVersion else { return }
        let test = JSONPatchOperation.test("/metadata/resourceVersion", .string(version))
        if !operations.contains(test) { operations.insert(test, at: 0) }
    }

    private static func pointer(_ path: [String]) -> String {
        path.map { JSONPatchOperation.pointer($0) }.joined()
    }
}

extension JSONValue {
    /// The value at the end of a chain of members; nil where one is missing.
    subscript(path path: [String]) -> JSONValue? {
        path.reduce(self) { (value: JSONValue?, key) in value?[key] }
    }

    /// Sets or removes a member; objects on the way must be there.
    mutating func put(_ path: [String], _ value: JSONValue?) {
        guard let first = path.first, case .object(var members) = self else { return }
        if path.count == 1 {
            members[first] = value
        } else {
            members[first]?.put(Array(path.dropFirst()), value)
        }
        self = .object(members)
    }
}
