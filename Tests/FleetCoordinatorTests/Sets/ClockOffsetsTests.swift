import FleetPluginAPI
import FleetStore
import Testing

@testable import FleetCoordinator

@Suite("Members' clocks")
struct ClockOffsetsTests {
    private let time = Timestamp(microseconds: 1_000_000_000_000)

    @Test("the sample that leaves least open counts, and the residual says how much that is")
    func best() throws {
        var offsets = ClockOffsets([])
        offsets.add("orders", .init(lower: -80_200, upper: -79_800), at: time - .seconds(100))
        offsets.add("orders", .init(lower: -81_000, upper: -79_000), at: time + .seconds(3600))
        let offset = try offsets.offset(of: "orders", at: time)
        #expect(offset.ahead == -80_000 && offset.sampledAt == time - .seconds(100))
        // Half of 400 µs, 200 µs for each of 100 s, and the disorder of commit times.
        #expect(offset.residual == 200 + 20_000 + 500)
        #expect(throws: FleetError.self) { try offsets.offset(of: "payments", at: time) }
    }

    @Test("a clock that was set between two samples is not believed")
    func steps() {
        var offsets = ClockOffsets([])
        offsets.add("orders", .init(lower: 0, upper: 100), at: time - .seconds(60))
        offsets.add("orders", .init(lower: 30_000_000, upper: 30_000_100), at: time + .seconds(60))
        let error = #expect(throws: FleetError.self) { try offsets.offset(of: "orders", at: time) }
        #expect(error?.code == .refused && error?.message.contains("was set between") == true)
        // After the step it is known again.
        #expect(throws: Never.self) { try offsets.offset(of: "orders", at: time + .seconds(61)) }
    }
}
