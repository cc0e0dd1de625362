/// Finds what somebody most likely meant.
enum Suggestion {
    /// The candidate nearest to `word`, if near enough to be worth saying; the first of several equally near ones.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let wanted = folded(word)
        var best: (candidate: String, distance: Int)?
        // A hostile file can declare a million names.
        for candidate in candidates.prefix(2000) where candidate.utf8.count <= 64 {
            let distance = distance(wanted, folded(candidate))
            let allowed = max(1, min(wanted.count, candidate.utf8.count) / 3)
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// `did you mean gold?`, or what there is, or that there is nothing.
    static func hint(for word: String, among candidates: [String], none: String) -> String {
        if let nearest = nearest(to: word, among: candidates) { return "did you mean \(nearest)?" }
        guard !candidates.isEmpty else { return none }
        let shown = candidates.prefix(12).map { shortened($0) }.joined(separator: ", ")
        return "there is: \(shown)" + (candidates.count > 12 ? ", …" : "")
    }

    /// Without what people mix up: case and separators.
    private static func folded(_ word: String) -> [Character] {
        word.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance).
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, leftCharacter) in left.enumerated() {
            var current = [row + 1]
            for (column, rightCharacter) in right.enumerated() {
                let isSame = leftCharacter == rightCharacter
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (isSame ? 0 : 1))
                if row > 0, column > 0, leftCharacter == right[column - 1], left[row - 1] == rightCharacter {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
