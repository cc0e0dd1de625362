import Synchronization

/// Numbers lines in the order in which they are written.
final class LineNumbering: Sendable {
    private let next = Mutex(0)

    /// Written within the lock, so that numbers stand in order in the log.
    func write(_ stream: WrappedLine.Stream, _ text: String) {
        let pieces = WrappedLine.pieces(of: text)
        next.withLock { number in
            for (index, piece) in pieces.enumerated() {
                let line = WrappedLine(
                    number: number, stream: stream, isCut: index < pieces.count - 1, text: piece)
                VerbOutput.say(line.written)
                number += 1
            }
        }
    }
}
