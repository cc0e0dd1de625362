internal import FleetPluginAPI
internal import YAML

/// Walks a document along the schema, notes every mistake, and yields what is right in a normal form: defaults filled
/// in, paths absolute, numbers as numbers.
struct Validator {
    let file: String
    let paths: PathResolver
    let plugins: PluginCatalog
    let root: YAMLNode
    /// The names that the document declares, whether what they name is right or not.
    let declared: [Section: [String]]

    private(set) var diagnostics: [Diagnostic] = []
    /// Mistakes beyond `mostDiagnostics` were found.
    private(set) var hasMore = false
    /// What to write instead need not be found out any more.
    var isFull: Bool { diagnostics.count >= Self.mostDiagnostics }
    var references: [Reference] = []
    /// Findings by where the text stands: what is aliased a thousand times is looked at once.
    var inspected: [YAMLMark: String?] = [:]

    /// A file that is wrong in more places than this is wrong as a whole.
    static let mostDiagnostics = 200

    /// A name that must be declared elsewhere.
    struct Reference {
        var section: Section
        var name: String
        var place: Place
    }

    /// Where a mistake is.
    struct Place {
        var mark: YAMLMark
        var path: DocumentPath

        func key(_ key: String, at mark: YAMLMark) -> Place { Place(mark: mark, path: path.key(key)) }
        func key(_ key: String) -> Place { Place(mark: mark, path: path.key(key)) }
    }

    init(file: String, paths: PathResolver, plugins: PluginCatalog, root: YAMLNode) {
        self.file = file
        self.paths = paths
        self.plugins = plugins
        self.root = root
        declared = Self.declarations(root)
    }

    private static func declarations(_ root: YAMLNode) -> [Section: [String]] {
        var declared: [Section: [String]] = [:]
        for section in Section.allCases {
            var seen: Set<String> = []
            let names = root[section.rawValue]?.mapping?.compactMap { $0.key.scalar?.text }
            declared[section] = names?.filter { seen.insert($0).inserted }
        }
        let environments = root["clusters"]?.mapping?.compactMap { $0.value["environment"]?.scalar?.text }
        declared[.environments] = environments.map { Array(Set($0)).sorted() }
        return declared
    }

    mutating func report(_ place: Place, _ message: String, _ hint: String? = nil) {
        guard !isFull else {
            hasMore = true
            return
        }
        let diagnostic = Diagnostic(
            file: file, line: place.mark.line, column: place.mark.column, path: place.path.description,
            message: message, hint: hint)
        // What stands behind an alias is visited once for each use.
        if !diagnostics.contains(diagnostic) { diagnostics.append(diagnostic) }
    }

    /// The normal form of a node, or nil when it is wrong.
    ///
    /// - Parameter place: for what is missing in the node: the place of its key.
    mutating func validate(_ node: YAMLNode, _ shape: Shape, _ place: Place) -> JSONValue? {
        let here = Place(mark: node.start, path: place.path)
        switch shape {
        case .list(let item, let minimum, let unique):
            return list(node, of: item, minimum: minimum, unique: unique, here)
        case .map(let section, let value): return map(node, section, value, place)
        case .object(let object): return self.object(node, object, place)
        case .plugin(let role): return plugin(node, role, place)
        case .any(let isObject): return any(node, isObject: isObject, here)
        case .secret: return secret(node, here)
        case .unsupported(let hint):
            report(place, "this is not in this version of fleet", hint)
            return nil
        case .instancePlatform: return nil
        default: return scalar(node, shape, here)
        }
    }

    private mutating func list(
        _ node: YAMLNode, of item: Shape, minimum: Int, unique: Bool, _ place: Place
    ) -> JSONValue? {
        if node.isNull, minimum == 0 { return .array([]) }
        guard let items = node.sequence else {
            report(place, "expected a list, found \(found(node))", "write it in brackets: [\(example(of: item))]")
            return nil
        }
        if items.count < minimum {
            report(
                place, items.isEmpty ? "the list is empty" : "the list names \(items.count)", "name at least \(minimum)"
            )
        }
        var values: [JSONValue] = []
        var seen: Set<JSONValue> = []
        for (index, item_) in items.enumerated() {
            let place = Place(mark: item_.start, path: place.path.index(index))
            guard let value = validate(item_, item, place) else { continue }
            if unique, !seen.insert(value).inserted {
                report(place, "\(shortened(value.string ?? "this")) stands here twice")
            }
            values.append(value)
        }
        return .array(values)
    }

    private mutating func map(_ node: YAMLNode, _ section: Section?, _ shape: Shape, _ place: Place) -> JSONValue? {
        if node.isNull { return .object([:]) }
        guard let pairs = keyed(node, place, hint: section.map { "write {NAME: {…}}, NAME being the \($0.noun)'s" })
        else {
            return nil
        }
        var values: [String: JSONValue] = [:]
        for (name, pair) in pairs {
            let place = place.key(name, at: pair.key.start)
            if section != nil { checkName(name, place) }
            if section == nil { checkKey(name, pair.value, place) }
            values[name] = validate(pair.value, shape, place)
        }
        return .object(values)
    }

    /// The pairs of a mapping, keys as text; of a key that stands twice the first one.
    mutating func keyed(_ node: YAMLNode, _ place: Place, hint: String? = nil) -> [(String, YAMLPair)]? {
        guard let pairs = node.mapping else {
            let here = Place(mark: node.start, path: place.path)
            report(here, "expected a mapping, found \(found(node))", hint)
            return nil
        }
        var first: [String: YAMLMark] = [:]
        var result: [(String, YAMLPair)] = []
        for pair in pairs {
            guard let key = pair.key.scalar?.text else {
                report(Place(mark: pair.key.start, path: place.path), "a key must be a word, not a list or mapping")
                continue
            }
            if let mark = first[key] {
                report(place.key(key, at: pair.key.start), "the key stands here twice", "it is at \(mark) already")
                continue
            }
            first[key] = pair.key.start
            result.append((key, pair))
        }
        return result
    }
}
