extension TreeBuilder {
    /// Keys and values in turn, as pairs, merge keys carried out.
    func merged(_ items: [YAMLNode]) throws(YAMLError) -> [YAMLPair] {
        var pairs: [YAMLPair] = []
        var merge: YAMLPair?
        pairs.reserveCapacity(items.count / 2)
        for index in stride(from: 0, to: items.count - 1, by: 2) {
            let pair = YAMLPair(key: items[index], value: items[index + 1])
            guard pair.key.isMergeKey else {
                pairs.append(pair)
                continue
            }
            guard merge == nil else {
                throw YAMLError(
                    .merge, "a second merge key in one mapping", at: pair.key.start, hint: "write <<: [*first, *second]"
                )
            }
            merge = pair
        }
        guard let merge else { return pairs }
        var seen = Set(pairs.compactMap(\.key.scalar?.plain))
        for mapping in try merge.mergedMappings() {
            for pair in mapping {
                if let key = pair.key.scalar, !seen.insert(key.plain).inserted { continue }
                pairs.append(pair)
            }
        }
        return pairs
    }
}

extension YAMLPair {
    fileprivate func mergedMappings() throws(YAMLError) -> [[YAMLPair]] {
        if let mapping = value.mapping { return [mapping] }
        guard let sequence = value.sequence else { throw notMergeable(value) }
        var mappings: [[YAMLPair]] = []
        for node in sequence {
            guard let mapping = node.mapping else { throw notMergeable(node) }
            mappings.append(mapping)
        }
        return mappings
    }

    private func notMergeable(_ node: YAMLNode) -> YAMLError {
        YAMLError(.merge, "<< takes a mapping or a list of mappings", at: node.start, hint: "write <<: *anchor")
    }
}

extension YAMLNode {
    fileprivate var isMergeKey: Bool {
        guard let scalar else { return false }
        return scalar.style == .plain && scalar.tag == .string && scalar.text == "<<"
    }
}

extension YAMLScalar {
    /// The same value, however it was quoted.
    fileprivate var plain: YAMLScalar { YAMLScalar(text, style: .plain, tag: tag) }
}
