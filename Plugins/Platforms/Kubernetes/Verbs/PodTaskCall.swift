/// The arguments of `pod-task`.
struct PodTaskCall: Hashable, Sendable {
    var deadline: Duration?
    /// Directories that are made, for the owner alone, where they are missing and this process may.
    var prepare: [String] = []
    /// Whose owner the program runs as: the first that is there and is not root's.
    var ownedLike: [String] = []
    /// Where none is: a name or a number.
    var owner = "postgres"
    var argv: [String]

    init(deadline: Duration? = nil, prepare: [String] = [], ownedLike: [String], owner: String, argv: [String]) {
        self.deadline = deadline
        self.prepare = prepare
        self.ownedLike = ownedLike
        self.owner = owner
        self.argv = argv
    }

    init?(_ arguments: [String]) {
        var rest = arguments[...]
        argv = []
        while let word = rest.popFirst(), word != "--" {
            guard let value = rest.popFirst() else { return nil }
            switch word {
            case "--deadline":
                guard let milliseconds = Int64(value), milliseconds > 0 else { return nil }
                deadline = .milliseconds(milliseconds)
            case "--prepare": prepare.append(value)
            case "--owned-like": ownedLike.append(value)
            case "--owner": owner = value
            default: return nil
            }
        }
        argv = Array(rest)
        guard !argv.isEmpty else { return nil }
    }

    var arguments: [String] {
        var words: [String] = []
        if let deadline {
            let parts = deadline.components
            words += ["--deadline", "\(max(1, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))"]
        }
        for path in prepare { words += ["--prepare", path] }
        for path in ownedLike { words += ["--owned-like", path] }
        return words + ["--owner", owner, "--"] + argv
    }
}
