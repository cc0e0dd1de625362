/// A place in the document by keys and indices.
struct DocumentPath {
    private enum Component {
        case key(String)
        case index(Int)
    }

    private var components: [Component] = []

    func key(_ key: String) -> DocumentPath {
        var path = self
        path.components.append(.key(key))
        return path
    }

    func index(_ index: Int) -> DocumentPath {
        var path = self
        path.components.append(.index(index))
        return path
    }
}

extension DocumentPath: CustomStringConvertible {
    /// `instances.orders.checks[0].sql`; keys that hold more than letters, digits, `_` and `-` stand in quotes.
    var description: String {
        components.reduce(into: "") { text, component in
            switch component {
            case .index(let index): text += "[\(index)]"
            case .key(let key):
                let isWord =
                    !key.isEmpty
                    && key.unicodeScalars.allSatisfy {
                        $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || $0 == "-"
                    }
                text += (text.isEmpty ? "" : ".") + (isWord ? key : "\"\(shortened(key))\"")
            }
        }
    }
}

/// Text of the file as a message shows it: without what would break the line, and not longer than `limit`.
func shortened(_ text: String, limit: Int = 40) -> String {
    let head = text.unicodeScalars.prefix(limit + 1)
    var shown = String.UnicodeScalarView()
    for scalar in head.prefix(limit) {
        let isPrintable =
            scalar == " " || !(scalar.properties.isWhitespace || scalar.properties.generalCategory.isHidden)
        shown.append(isPrintable ? scalar : "\u{FFFD}")
    }
    return String(shown) + (head.count > limit ? "…" : "")
}

extension Unicode.GeneralCategory {
    fileprivate var isHidden: Bool {
        switch self {
        case .control, .format, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }
}
