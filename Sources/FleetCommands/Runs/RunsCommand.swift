import ArgumentParser

/// `fleet runs`
struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "What was done, step by step, and what stopped halfway.",
        discussion: """
            A run is named by its id, or by the beginning of it where that is enough.

              fleet runs list
              fleet runs resume r-20251218-1030
              fleet runs undo r-20251218-103000-7f3k
            """,
        subcommands: [
            RunsList.self, RunsShow.self, RunsWatch.self, RunsApprove.self, RunsResume.self, RunsAbort.self,
            RunsUndo.self, RunsReport.self, RunsDiscard.self,
        ], defaultSubcommand: RunsList.self)
}
