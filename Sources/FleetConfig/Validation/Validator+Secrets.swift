internal import FleetPluginAPI
internal import YAML

extension Validator {
    private static let how = "write {env: NAME}, {file: PATH} or {command: [PROGRAM, …]}"

    /// `{env: NAME}`, `{file: PATH}` or `{command: [PROGRAM, …]}`. Whatever else stands there is not repeated: it may be the secret.
    mutating func secret(_ node: YAMLNode, _ place: Place) -> JSONValue? {
        guard let pairs = node.mapping else {
            let message = node.isNull ? "there is no value" : "a secret must not stand in this file"
            report(place, message, Self.how)
            return nil
        }
        guard pairs.count == 1, let pair = pairs.first, let kind = pair.key.scalar?.text,
            ["env", "file", "command"].contains(kind)
        else {
            report(place, "expected a reference to a secret with env, file or command, one of them", Self.how)
            return nil
        }
        let place = Place(mark: pair.value.start, path: place.path.key(kind))
        if kind == "command" { return secretCommand(pair.value, place) }
        guard let scalar = pair.value.scalar, scalar.tag == .string, !scalar.text.isEmpty,
            !scalar.text.unicodeScalars.contains("\0")
        else {
            report(place, kind == "env" ? "expected the name of a variable" : "expected a path")
            return nil
        }
        guard kind == "file" else {
            guard Self.isVariableName(scalar.text) else {
                report(
                    place, "this is not the name of an environment variable", "write the name alone, such as PGPASSWORD"
                )
                return nil
            }
            return .object(["env": .string(scalar.text)])
        }
        switch paths.absolute(scalar.text) {
        case .success(let path): return .object(["file": .string(path)])
        case .failure(let problem):
            report(place, problem.message, problem.hint)
            return nil
        }
    }

    private mutating func secretCommand(_ node: YAMLNode, _ place: Place) -> JSONValue? {
        let words = node.sequence?.map { $0.scalar?.text }
        guard let words, let program = words.first ?? nil, !program.isEmpty,
            words.allSatisfy({ $0.map { !$0.unicodeScalars.contains("\0") } ?? false })
        else {
            report(place, "expected a program and its arguments", "write a list: [vault, read, …]")
            return nil
        }
        return .object(["command": .array(words.compactMap { $0.map { .string($0) } })])
    }

    private static func isVariableName(_ text: String) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        }
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// Reports a password within a text; true when there was one.
    mutating func reportsSecret(_ scalar: YAMLScalar, _ mark: YAMLMark, _ shape: Shape, _ place: Place) -> Bool {
        guard scalar.tag == .string else { return false }
        var isSQL = false
        if case .sql = shape { isSQL = true }
        let carrier: String?
        if let known = inspected[mark] {
            carrier = known
        } else {
            carrier = SecretDetector.carrier(in: scalar.text, isSQL: isSQL)
            inspected[mark] = .some(carrier)
        }
        guard let carrier else { return false }
        report(
            place, "\(carrier) with a password in it must not stand in this file",
            "take the password out and give it by reference, {env: NAME} or {file: PATH}, where there is an option for it"
        )
        return true
    }

    /// libpq reads PGPASSWORD from the environment, so a literal one is a secret in the file.
    mutating func checkKey(_ key: String, _ value: YAMLNode, _ place: Place) {
        guard key.uppercased() == "PGPASSWORD", value.scalar != nil else { return }
        report(place, "a secret must not stand in this file", "name a password file in PGPASSFILE instead")
    }

    /// Looks for passwords and duplicate keys in what has no schema.
    mutating func inspect(_ node: YAMLNode, _ path: DocumentPath) {
        _ = any(node, isObject: false, Place(mark: node.start, path: path))
    }

    /// Anything, as it is.
    mutating func any(_ node: YAMLNode, isObject: Bool, _ place: Place) -> JSONValue? {
        if isObject, node.mapping == nil {
            report(place, "expected a mapping, found \(found(node))")
            return nil
        }
        switch node.content {
        case .scalar(let scalar):
            if reportsSecret(scalar, node.start, .any(isObject: false), place) { return nil }
            return value(of: scalar)
        case .sequence(let nodes):
            var items: [JSONValue] = []
            for (index, node) in nodes.enumerated() {
                let item = any(node, isObject: false, Place(mark: node.start, path: place.path.index(index)))
                if let item { items.append(item) }
            }
            return .array(items)
        case .mapping:
            var members: [String: JSONValue] = [:]
            for (key, pair) in keyed(node, place) ?? [] {
                members[key] = any(
                    pair.value, isObject: false, Place(mark: pair.value.start, path: place.path.key(key)))
            }
            return .object(members)
        }
    }

    private func value(of scalar: YAMLScalar) -> JSONValue {
        switch scalar.tag {
        case .null: return .null
        case .bool: return scalar.bool.map { .bool($0) } ?? .null
        case .int: return scalar.integer.map { .integer($0) } ?? .string(scalar.text)
        case .float: return scalar.number.flatMap { $0.isFinite ? .number($0) : nil } ?? .string(scalar.text)
        default: return .string(scalar.text)
        }
    }
}
