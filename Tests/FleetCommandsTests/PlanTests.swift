@testable import FleetCommands
@testable import FleetCoordinator
import FleetPluginAPI
import TerminalUI
import Testing

@Suite("What a person reads before saying yes")
struct PlanTests {
    @Test("a restore in place, whole")
    func restore() throws {
        let plan = try Samples.restorePlan()
        let text = shown(try PlanView(plan, asked: "-15m"))
        #expect(
            text == """
                Restore orders to 2025-12-18T10:30:00Z

                orders  prod, PostgreSQL 15.14, running, timeline 1
                  target     2025-12-18 10:30:00 UTC (asked for: -15m)
                  stops at   0/5A3C2F00 on timeline 1
                  backup     20251218T020000Z-F
                             full, 8h 40m old, 1.20 GiB, in repository local
                  WAL        000000010000000000000012 … 00000001000000000000005A
                             73 segments, none missing; 2 still to be archived
                  keeps      all commits up to the one of 2025-12-18 10:29:58.123456 UTC
                  loses      1,204 commits
                             2025-12-18 10:30:00.104221 UTC to
                             2025-12-18 10:41:12.900000 UTC, a span of 11m 12s
                  way back   fleet runs undo brings the present state back from the archive
                  takes      about 4m 10s, from earlier restores of orders
                  sessions   3 open now; who stays after the applications are down makes the run
                             turn back
                             ana@shop from 10.0.0.7, psql
                             shop@shop from local (2)

                Applications that are taken down and brought back as they are now
                  APPLICATION   CLUSTER  ENVIRONMENT  RUNNING NOW  USES
                  backend-dev   dev      dev          1            orders
                  backend-prod  prod     prod         3            orders

                ! backend-prod also uses billing, which stays as it is: the two will not agree

                Steps
                   1  tell people that it begins
                   2  take down backend-dev
                      take down backend-prod
                   3  see that nobody is connected to orders
                   4  archive all that orders has written
                   5  stop orders
                   6  restore the data of orders
                   7  start orders in recovery
                   8  replay WAL of orders to the target
                   9  check orders while it is paused
                  10  promote orders
                  11  see that orders archives on its new timeline
                  12  bring back backend-dev (dev)
                  13  see that backend-dev is well
                  14  bring back backend-prod (prod)
                  15  see that backend-prod is well
                  16  back up orders
                  17  tell people that it is done

                plan \(try plan.hash().prefix(16)), made 2025-12-18 10:45:02 UTC
                """)
        #expect(widest(text) <= 80)
    }

    @Test("no line is wider than 80 columns whatever the plan", arguments: [0, 1, 2, 3])
    func fits(_ variant: Int) throws {
        var plan = try Samples.restorePlan()
        plan.members.append(try Samples.member("a-rather-long-instance-name-of-somebody"))
        plan.members[0].target?.lost = LostCommits(count: variant == 0 ? 0 : 1, first: nil, last: nil)
        plan.members[1].wayBack = variant == 1 ? .none : .setAside
        plan.members[1].target?.lastKept = nil
        plan.warnings.append(String(repeating: "something to know ", count: 12))
        if variant == 2 { plan.kind = .undo }
        if variant == 3 {
            plan.kind = .restoreInto
            plan.members[0].scratch = ScratchRequest(
                name: "orders-copy", source: Instance(name: "orders", cluster: "prod", environment: "prod"),
                place: "/srv/copies/orders-copy", majorVersion: "15", tablespaces: [])
        }
        #expect(widest(shown(try PlanView(plan))) <= 80)
    }

    @Test("an undo says what comes back and not what the undone restore wanted")
    func undo() throws {
        var plan = try Samples.restorePlan()
        plan.kind = .undo
        plan.members[0].undo = UndoPoint(
            wayBack: .setAside, timeline: 1, lsn: LSN(0x5B00_0000), tag: "r-1", dataTouched: true)
        let view = try PlanView(plan)
        #expect(view.members[0].target == nil)
        #expect(view.members[0].bringsBack == "setAside")
        #expect(shown(view).contains("the data directory that was kept beside comes back"))
        #expect(!shown(view).contains("loses"))
    }

    @Test("a plan without a way back says so where it cannot be missed")
    func noWayBack() throws {
        var plan = try Samples.restorePlan()
        plan.members[0].wayBack = .none
        let lines = try PlanView(plan).lines(Page(width: 80, isVerbose: false))
        let line = try #require(lines.first { $0.text.contains("way back") })
        #expect(line.text == "  way back   none")
        #expect(line.rendered(coloured: true).contains("\u{1B}[1;31m"))
    }

    @Test("the JSON of a plan is read back as it was")
    func json() throws {
        let view = try PlanView(try Samples.restorePlan(), asked: "-15m")
        #expect(try decoded(PlanView.self, view) == view)
        #expect(view.hash.count == 64)
    }

    @Test("what a session calls itself cannot steer the terminal")
    func hostile() throws {
        var plan = try Samples.restorePlan()
        plan.members[0].sessions[0].application = "\u{1B}[2J\u{1B}]0;gone\u{7}"
        #expect(!shown(try PlanView(plan)).unicodeScalars.contains("\u{1B}"))
    }
}
