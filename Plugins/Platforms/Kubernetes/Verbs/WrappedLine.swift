/// A line of a task on its way through a pod's log, which keeps neither the streams apart nor the count:
/// `17 o {"progress":…}`, `18 e cannot open …`.
///
/// The number says which lines were read already when a log is read again; a line too long for a container runtime,
/// which cuts at 16 KiB, is cut here, and all its pieces but the last are marked `o+` or `e+`.
struct WrappedLine: Hashable, Sendable {
    enum Stream: String, Hashable, Sendable {
        case output = "o"
        case errors = "e"
    }

    var number: Int
    var stream: Stream
    /// More of the line follows.
    var isCut: Bool
    var text: String

    /// Bytes of text in one piece.
    static let limit = 8192

    init(number: Int, stream: Stream, isCut: Bool = false, text: String) {
        self.number = number
        self.stream = stream
        self.isCut = isCut
        self.text = text
    }

    /// Nil for a line that is none of a task: what a container runtime has to say.
    init?(parsing line: some StringProtocol) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let number = Int(parts[0]), number >= 0, parts[0].utf8.allSatisfy({ $0 >= 0x30 })
        else { return nil }
        let isCut = parts[1].hasSuffix("+")
        guard let stream = Stream(rawValue: String(isCut ? parts[1].dropLast() : parts[1])) else { return nil }
        self.init(number: number, stream: stream, isCut: isCut, text: String(parts[2]))
    }

    var written: String { "\(number) \(stream.rawValue)\(isCut ? "+" : "") \(text)" }

    /// A line in pieces; never within a character.
    static func pieces(of text: String) -> [String] {
        guard text.utf8.count > limit else { return [text] }
        var pieces: [String] = []
        var piece = String.UnicodeScalarView()
        var size = 0
        for scalar in text.unicodeScalars {
            let width = Unicode.UTF8.width(scalar)
            if size + width > limit {
                pieces.append(String(piece))
                (piece, size) = (String.UnicodeScalarView(), 0)
            }
            piece.append(scalar)
            size += width
        }
        return pieces + [String(piece)]
    }
}
