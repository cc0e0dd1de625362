import FleetTestSupport
import Testing

@testable import KubernetesPlatform

struct WrappedLineTests {
    @Test func whatIsWrittenIsReadAgain() {
        for text in ["", " ", "{\"progress\":{}}", "a b  c", "12 o no", "ends with a space "] {
            for stream in [WrappedLine.Stream.output, .errors] {
                for isCut in [false, true] {
                    let line = WrappedLine(number: 17, stream: stream, isCut: isCut, text: text)
                    #expect(WrappedLine(parsing: line.written) == line)
                }
            }
        }
    }

    @Test(arguments: ["", "17", "17 o", "x o text", "-1 o text", "+1 o text", "17 x text", "17 oo text", "17 + text"])
    func otherLinesAreNoTasks(_ line: String) {
        #expect(WrappedLine(parsing: line) == nil)
    }

    @Test func longLinesAreCutAndJoined() {
        for text in [
            "short", String(repeating: "é", count: 10_000), String(repeating: "x", count: 8192),
            String(repeating: "🦆", count: 5000),
        ] {
            let pieces = WrappedLine.pieces(of: text)
            #expect(pieces.joined() == text)
            #expect(pieces.allSatisfy { $0.utf8.count <= WrappedLine.limit })
            var task = KeptTask()
            for (number, piece) in pieces.enumerated() {
                let line = WrappedLine(
                    number: number, stream: .output, isCut: number < pieces.count - 1, text: piece)
                let (isNew, isNewAgain) = (task.add(line, pod: "a"), task.add(line, pod: "a"))
                #expect(isNew && !isNewAgain)
            }
            #expect(task.output == [text])
        }
    }

    /// Any order of readings that overlap gives each line once.
    @Test func overlapsDoNotRepeat() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let all = (0..<50).map { number in
                WrappedLine(number: number, stream: number % 3 == 0 ? .errors : .output, text: "line \(number)")
            }
            var task = KeptTask()
            var known = 0
            while known < all.count {
                let from = Int.random(in: 0...known, using: &random)
                let to = Int.random(in: known...all.count, using: &random)
                for line in all[from..<max(from, to)] { _ = task.add(line, pod: "a") }
                known = max(known, to)
            }
            #expect(task.output == all.filter { $0.stream == .output }.map(\.text))
            #expect(task.lastErrors == all.filter { $0.stream == .errors }.map(\.text))
        }
    }

    @Test func garbageInAKeptLogIsPassedOver() {
        let text = "pod 0 o one\npod x\n\npod 0 o one\npod 1 e bad\n nonsense\npod 2 o two\npod 3 o cut off by a cra"
        let task = TaskLogKeeper.parse(text)
        #expect(task.output == ["one", "two"])
        #expect(task.lastErrors == ["bad"])
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...80)).map { _ in UInt8.random(in: 0...255) }
            _ = TaskLogKeeper.parse(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func aSecondPodGoesOnAfterTheFirst() {
        let task = TaskLogKeeper.parse("a 0 o one\na 1 o two\nb 0 o again\n")
        #expect(task.output == ["one", "two", "again"])
    }
}
