import FleetPluginAPI
import Testing

@testable import TerminalUI

@Suite struct DisplayTextTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한글", 4), ("ｆ", 2), ("🙂", 2), ("👨‍👩‍👧", 2), ("🇩🇪", 2),
        ("❤", 1), ("❤️", 2), ("\u{200B}", 0), ("━●▼", 3), ("ä\u{308}\u{323}", 1), ("אב", 2),
    ])
    func columnsAreThoseOfATerminal(_ text: String, _ columns: Int) {
        #expect(DisplayText.columns(of: text) == columns)
    }

    @Test func nothingFromOutsideSteersTheTerminal() {
        for hostile in ["\u{1B}[2J", "a\rb", "a\u{9B}31m", "\u{202E}evil", "a\nb", "\u{7}"] {
            let shown = StyledText(hostile).rendered(coloured: true)
            #expect(shown.unicodeScalars.allSatisfy { $0.value >= 32 && !(0x7F..<0xA0).contains($0.value) })
            #expect(!shown.unicodeScalars.contains("\u{202E}"))
        }
    }

    @Test func truncationNeverExceedsItsColumns() {
        let texts = ["short", "日本語のデータベース", "a🙂b🙂c🙂", "e\u{301}e\u{301}e\u{301}e\u{301}", "mixed 日本 and 🙂"]
        for text in texts {
            for columns in 0..<25 {
                let short = StyledText(text, .strong).truncated(to: columns)
                #expect(short.columns <= columns)
                if DisplayText.columns(of: text) <= columns { #expect(short.text == text) }
            }
        }
    }

    @Test func wrappedLinesHoldEveryWordInOrder() {
        let text = "one two three four five six seven eight 日本 語 nine"
        for width in 6..<60 {
            let lines = DisplayText.wrapped(text, to: width)
            #expect(lines.joined(separator: " ") == text)
            #expect(lines.allSatisfy { DisplayText.columns(of: $0) <= width })
        }
    }

    @Test func asciiKeepsColumns() {
        for text in ["━━┫ ●▼╳ │", "██▍──", "orders ✓", "› stop…", "日本", "é"] {
            let plain = DisplayText.ascii(text)
            #expect(plain.utf8.allSatisfy { $0 < 0x80 })
            #expect(plain.utf8.count == DisplayText.columns(of: text))
        }
        #expect(DisplayText.ascii("› stop… ✗") == "> stop. x")
        #expect(DisplayText.ascii("\u{1B}[32m━●\u{1B}[0m") == "\u{1B}[32m=o\u{1B}[0m")
    }
}

@Suite struct TerminalPolicyTests {
    static let cases: [(allows: Bool, isTerminal: Bool, environment: [String: String], expected: Bool)] = [
        (true, true, [:], true),
        (true, false, [:], false),
        (false, true, ["CLICOLOR_FORCE": "1"], false),
        (true, true, ["NO_COLOR": "1", "CLICOLOR_FORCE": "1"], false),
        (true, true, ["NO_COLOR": ""], true),
        (true, false, ["CLICOLOR_FORCE": "1"], true),
        (true, false, ["CLICOLOR_FORCE": "0"], false),
        (true, true, ["TERM": "dumb"], false),
        (true, true, ["CLICOLOR": "0"], false),
    ]

    @Test(arguments: cases.indices) func coloursFollowTheUsersWishes(_ index: Int) {
        let (allows, isTerminal, environment, expected) = Self.cases[index]
        let decided = TerminalPolicy.hasColours(allows: allows, isTerminal: isTerminal) { environment[$0] }
        #expect(decided == expected, "\(environment)")
    }

    @Test func unicodeFollowsTheLocale() {
        func decide(_ environment: [String: String]) -> Bool { TerminalPolicy.hasUnicode { environment[$0] } }
        #expect(decide(["LANG": "en_US.UTF-8"]))
        #expect(decide(["LANG": "C.utf8"]))
        #expect(decide(["LC_CTYPE": "de_DE.UTF-8@euro", "LANG": "C"]))
        #expect(!decide(["LC_ALL": "C", "LANG": "en_US.UTF-8"]))
        #expect(!decide(["LANG": "de_DE.ISO-8859-1"]))
        #expect(!decide([:]))
    }
}

@Suite struct TableTests {
    func table() -> Table {
        var table = Table([.init("NAME"), .init("SIZE", .right), .init("NOTE", shrinksTo: 8)])
        table.add(["orders", "1.5 GiB", StyledText("a long note that has to be shortened", .bad)])
        table.add(["日本語", "7 B"])
        return table
    }

    @Test func columnsAreAlignedByWhatIsSeen() {
        let lines = table().lines(width: nil).map(\.text)
        #expect(
            lines == [
                "NAME       SIZE  NOTE",
                "orders  1.5 GiB  a long note that has to be shortened",
                "日本語      7 B",
            ])
    }

    @Test func itFitsTheTerminalByShorteningWhatMayShrink() {
        for width in 26..<70 {
            let lines = table().lines(width: width)
            #expect(lines.allSatisfy { $0.columns <= width })
            #expect(lines[1].text.hasPrefix("orders  1.5 GiB  a long "))
        }
        #expect(table().lines(width: 30)[1].text == "orders  1.5 GiB  a long note …")
    }

    @Test func missingCellsAreBlank() {
        var table = Table([.init("A"), .init("B")])
        table.add([])
        table.add(["1", "2", "3"])
        #expect(table.lines(width: nil).map(\.text) == ["A  B", "", "1  2"])
    }
}

@Suite struct TimeAxisTests {
    let noon = Timestamp(microseconds: 1_766_059_200_000_000)

    @Test func spansAndMarksAreDrawnToScale() {
        let axis = TimeAxis(
            from: noon, now: noon + .seconds(7200),
            rows: [
                .init(
                    "orders",
                    spans: [.init(noon, noon + .seconds(3600)), .init(noon + .seconds(5400), noon + .seconds(7200))],
                    marks: [.init(noon + .seconds(1800), "●"), .init(noon + .seconds(4500), "╳", .bad)])
            ])
        let lines = axis.lines(width: 51).map(\.text)
        #expect(lines[0] == "  orders  ┣━━━━━━━━━●━━━━━━━━━┫    ╳    ┣━━━━━━━━━┫")
        #expect(lines[1].hasPrefix("          ┬"))
        #expect(lines[2].contains("12-18 12:00") && lines[2].contains("13:00") && lines[2].hasSuffix("now"))
    }

    @Test func nothingIsWiderThanAsked() {
        var seconds: Int64 = 1
        while seconds < 3_000_000_000 {
            for width in [40, 80, 133] {
                let end = noon + .seconds(seconds)
                let axis = TimeAxis(
                    from: noon, now: end,
                    rows: [
                        .init("a", spans: [.init(noon, end)], marks: [.init(end, "▼")]),
                        .init("a name", spans: [.init(end, end)], marks: [.init(end + .seconds(99), "x")]),
                    ])
                let lines = axis.lines(width: width)
                #expect(lines.allSatisfy { $0.columns <= width })
                #expect(lines.count == 4)
                #expect(lines[0].text.contains("▼") && !lines[1].text.contains("x"))
            }
            seconds = seconds * 7 / 2 + 1
        }
    }

    @Test func aSpanTooShortToSeeIsSeen() {
        let start = noon + .seconds(500_000)
        let axis = TimeAxis(
            from: noon, now: noon + .seconds(1_000_000), rows: [.init("x", spans: [.init(start, start + .seconds(1))])])
        #expect(axis.lines(width: 80)[0].text.filter { $0 == "━" }.count == 1)
    }

    @Test func progressBarsAreAsWideAsAsked() {
        for fraction in [-1, 0, 0.001, 0.33, 0.5, 0.999, 1, 7, .nan] {
            let bar = ProgressBar.text(fraction, columns: 20)
            #expect(bar.columns == 26)
        }
        #expect(ProgressBar.text(1, columns: 4).text == "████ 100 %")
        #expect(ProgressBar.text(0, columns: 4).text == "────   0 %")
    }
}
