import FleetPluginAPI
import Testing

@testable import FleetCommands

@Suite("How fast it goes")
struct ProgressPaceTests {
    private let start = ContinuousClock.now

    private func progress(_ done: Int64, of total: Int64?, _ phase: String = "copy") -> TaskProgress {
        TaskProgress(phase: phase, bytesDone: done, bytesTotal: total)
    }

    @Test("rate and time left come once they can be told")
    func told() {
        var pace = ProgressPace()
        pace.add(progress(0, of: 1 << 30), at: start)
        #expect(pace.text(progress(0, of: 1 << 30), at: start) == "copy 0 B of 1.00 GiB")
        let half = progress(256 << 20, of: 1 << 30)
        pace.add(half, at: start + .seconds(2))
        #expect(pace.text(half, at: start + .seconds(2)) == "copy 256 MiB of 1.00 GiB, 128 MiB/s, 6s left")
        // Where it stands still it becomes slower, and the end moves away.
        #expect(pace.text(half, at: start + .seconds(4)) == "copy 256 MiB of 1.00 GiB, 64.0 MiB/s, 12s left")
    }

    @Test("what was long ago says nothing, and another phase begins anew")
    func window() {
        var pace = ProgressPace()
        for second in 0...100 { pace.add(progress(Int64(second) << 20, of: nil), at: start + .seconds(second)) }
        for second in 101...140 {
            pace.add(progress((100 + Int64(second - 100) * 10) << 20, of: nil), at: start + .seconds(second))
        }
        let last = progress(500 << 20, of: nil)
        #expect(pace.text(last, at: start + .seconds(140)) == "copy 500 MiB, 10.0 MiB/s")
        pace.add(progress(0, of: nil, "verify"), at: start + .seconds(141))
        #expect(pace.rate(at: start + .seconds(141)) == nil)
        #expect(pace.text(progress(0, of: 1, "wait"), at: start) == "wait")
    }
}
