import Glibc

/// Asks whoever sits at the terminal.
public enum Prompt {
    /// Asks on standard error; true only when the answer is exactly `word`.
    public static func confirm(_ question: StyledText, word: String, on terminal: Terminal) async -> Bool {
        terminal.write(terminal.rendered(question))
        await Terminal.flush()
        let answer = await line()
        if answer == nil { terminal.write("\n") }
        return answer?.trimmed == word
    }

    /// A line of standard input without its end; nil at the end of input.
    private static func line() async -> String? {
        await withCheckedContinuation { continuation in
            // A thread of its own: people take their time.
            let reader = Reader { continuation.resume(returning: readLine()) }
            reader.start()
        }
    }
}

/// A thread that does one thing.
private final class Reader: Sendable {
    private let work: @Sendable () -> Void

    init(_ work: @escaping @Sendable () -> Void) {
        self.work = work
    }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Reader>.fromOpaque(argument).takeRetainedValue().work()
                return nil
            }, context.toOpaque())
        if failed == 0 {
            pthread_detach(thread)
        } else {
            context.release()
            work()
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return String(text)
    }
}
