/// Builds the tree from events, with a stack of its own, so that depth costs no call stack.
struct TreeBuilder {
    /// A document without content.
    static let nothing = YAMLNode(
        .scalar(YAMLScalar("", style: .plain, tag: .null)), tag: .null, start: .start, end: .start)

    /// A collection that has not ended yet.
    struct Frame {
        var isMapping: Bool
        var tag: YAMLTag
        var anchor: String?
        /// Which beginning of the anchor this is: an anchor can be given anew inside what it names.
        var generation: Int
        var start: YAMLMark
        /// The items; of a mapping, keys and values in turn.
        var items: [YAMLNode] = []
        /// Nodes within, aliases followed.
        var count = 1
        /// Levels of collections within, aliases followed.
        var height = 0
        /// Where the last item ended as it stands here; an alias ends elsewhere than what it names.
        var lastEnd: YAMLMark
    }

    /// What an alias of that name stands for.
    enum Anchor {
        case open(generation: Int)
        case complete(YAMLNode, count: Int, height: Int)
    }

    let limits: YAMLLimits
    private(set) var root = Self.nothing
    private(set) var isFinished = false
    private var frames: [Frame] = []
    private var anchors: [String: Anchor] = [:]
    private var generations = 0
    private var count = 0
    private var documents = 0

    init(limits: YAMLLimits) {
        self.limits = limits
    }

    mutating func add(_ event: Event) throws(YAMLError) {
        switch event.kind {
        case .streamStart, .documentEnd: break
        case .streamEnd: isFinished = true
        case .documentStart:
            documents += 1
            guard documents == 1 else {
                throw YAMLError(.secondDocument, "a second document begins", at: event.start, hint: "keep one a file")
            }
        case .alias(let name): try addAlias(name, event)
        case .scalar(let text, let style, let isImplicit, let properties):
            let tag = try YAMLTag(scalar: text, style, isImplicit: isImplicit, properties.tag, at: event.start)
            let scalar = YAMLScalar(text, style: style, tag: tag)
            let node = YAMLNode(.scalar(scalar), tag: tag, start: event.start, end: event.end)
            if let anchor = properties.anchor { anchors[anchor] = .complete(node, count: 1, height: 0) }
            try place(node, count: 1, height: 0, event)
        case .sequenceStart(let properties): try open(properties, isMapping: false, event)
        case .mappingStart(let properties): try open(properties, isMapping: true, event)
        case .sequenceEnd, .mappingEnd: try close(event)
        }
    }

    private mutating func open(_ properties: Event.Properties, isMapping: Bool, _ event: Event) throws(YAMLError) {
        guard frames.count < limits.depth else { throw tooDeep(event.start) }
        let tag = try YAMLTag(collection: properties.tag, isMapping ? .mapping : .sequence, at: event.start)
        generations += 1
        if let anchor = properties.anchor { anchors[anchor] = .open(generation: generations) }
        frames.append(
            Frame(
                isMapping: isMapping, tag: tag, anchor: properties.anchor, generation: generations, start: event.start,
                lastEnd: event.end))
    }

    private mutating func close(_ event: Event) throws(YAMLError) {
        guard let frame = frames.popLast() else { return }
        // A block collection's end is reported where the next token begins, and has no width.
        let end = event.start == event.end ? frame.lastEnd : event.end
        let content = frame.isMapping ? YAMLNode.Content.mapping(try merged(frame.items)) : .sequence(frame.items)
        let node = YAMLNode(content, tag: frame.tag, start: frame.start, end: end)
        if let anchor = frame.anchor, case .open(frame.generation)? = anchors[anchor] {
            anchors[anchor] = .complete(node, count: frame.count, height: frame.height + 1)
        }
        var event = event
        event.start = frame.start
        event.end = end
        try place(node, count: frame.count, height: frame.height + 1, event, counted: frame.count - 1)
    }

    private mutating func addAlias(_ name: String, _ event: Event) throws(YAMLError) {
        switch anchors[name] {
        case nil:
            throw YAMLError(.alias, "no anchor &\(name) stands before this alias", at: event.start)
        case .open:
            throw YAMLError(.alias, "the alias *\(name) stands inside what it names", at: event.start)
        case .complete(let node, let count, let height):
            guard frames.count + height <= limits.depth else { throw tooDeep(event.start) }
            try place(node, count: count, height: height, event)
        }
    }

    /// - Parameter counted: how many of the `count` nodes have been counted towards the limit already.
    private mutating func place(_ node: YAMLNode, count: Int, height: Int, _ event: Event, counted: Int = 0)
        throws(YAMLError)
    {
        self.count += count - counted
        guard self.count <= limits.nodes else {
            throw YAMLError(
                .limit, "the document has more than \(limits.nodes) nodes, aliases followed", at: event.start)
        }
        guard !frames.isEmpty else {
            root = node
            return
        }
        let last = frames.count - 1
        frames[last].items.append(node)
        frames[last].count += count
        frames[last].height = max(frames[last].height, height)
        frames[last].lastEnd = event.end
    }

    private func tooDeep(_ mark: YAMLMark) -> YAMLError {
        YAMLError(.limit, "more than \(limits.depth) levels of nesting", at: mark)
    }
}
