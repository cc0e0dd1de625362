import FleetPluginAPI

extension PlatformConformance {
    func task(_ key: String, _ script: String, deadline: Duration? = nil) -> TaskSpec {
        TaskSpec(
            key: "\(prefix)-\(key)", purpose: key, argv: ["/bin/sh", "-c", script], environment: ["GREETING": "hello"],
            volume: .nothing, deadline: deadline)
    }

    /// A task is started once, followed, found again by a new object, and forgotten.
    func checkTasks() async throws {
        let platform = try makePlatform()
        let spec = task("once", #"echo "$GREETING"; echo two; echo wrong >&2; sleep 0.3; printf three; exit 7"#)
        try require(try await platform.observeTask(spec.key, of: instance) == .absent, "an unknown task is absent")
        try await platform.launch(spec, for: instance)
        try await makePlatform().launch(spec, for: instance)
        let outcome = try await finish(spec.key)
        try require(outcome.exitStatus == 7, "the exit status is the program's, not \(outcome.exitStatus)")
        try require(outcome.startedAt <= outcome.endedAt, "a task ends after it started")
        try await makePlatform().launch(spec, for: instance)
        try require(
            try await platform.observeTask(spec.key, of: instance) == .finished(outcome),
            "a task that has ended is not started again")
        try require(
            try await platform.taskOutput(spec.key, of: instance, from: 0) == ["hello", "two", "three"],
            "the output is the program's, written once")
        try require(
            try await makePlatform().taskOutput(spec.key, of: instance, from: 2) == ["three"], "lines are numbered")
        try require(try await platform.taskOutput(spec.key, of: instance, from: 3).isEmpty, "there are no more lines")
        try require(
            try await platform.taskErrors(spec.key, of: instance).split(separator: "\n").contains("wrong"),
            "what was written to stderr is kept")
        try await platform.forgetTask(spec.key, of: instance)
        try await platform.forgetTask(spec.key, of: instance)
        try require(try await platform.observeTask(spec.key, of: instance) == .absent, "a forgotten task is absent")
    }

    /// Cancelling and deadlines reach the program and everything it started.
    func checkTaskEndings() async throws {
        let platform = try makePlatform()
        let endless = task("endless", "echo begun; sleep 1000 & wait")
        try await platform.launch(endless, for: instance)
        try require(try await makePlatform().observeTask(endless.key, of: instance) == .running, "a task is running")
        try await requireError(.refused, .conflict, of: "forgetting a running task") {
            try await platform.forgetTask(endless.key, of: instance)
        }
        try await makePlatform().cancelTask(endless.key, of: instance)
        let cancelled = try await platform.observeTask(endless.key, of: instance)
        try require(cancelled != .running, "a cancelled task is gone when cancelTask returns")
        try await platform.cancelTask(endless.key, of: instance)

        let late = task("late", "echo begun; sleep 1000", deadline: .milliseconds(300))
        try await platform.launch(late, for: instance)
        let outcome = try await finish(late.key)
        try require(outcome.exitStatus != 0, "a task that was ended at its deadline has not succeeded")

        let missing = TaskSpec(
            key: "\(prefix)-missing", purpose: "missing", argv: ["/nonexistent/program"], volume: .nothing)
        try await platform.launch(missing, for: instance)
        try require(try await finish(missing.key).exitStatus != 0, "a program that is not there is a failed task")
        for key in [endless.key, late.key, missing.key] { try await platform.forgetTask(key, of: instance) }
    }

    func checkSecrets() async throws {
        let platform = try makePlatform()
        var spec = task("secret", #"printf %s "$TOKEN" | wc -c"#)
        spec.secrets = ["TOKEN": secret.reference]
        try await platform.launch(spec, for: instance)
        try require(try await finish(spec.key).exitStatus == 0, "a task with a secret runs")
        let output = try await platform.taskOutput(spec.key, of: instance, from: 0)
        try require(output.first.flatMap { Int($0) } == secret.value.utf8.count, "the secret reaches the program")
        try await platform.forgetTask(spec.key, of: instance)
    }

    /// Waits for a task, asked of a new object each time.
    func finish(_ key: String) async throws -> TaskOutcome {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            switch try await makePlatform().observeTask(key, of: instance) {
            case .finished(let outcome): return outcome
            case .running: try await Task.sleep(for: .milliseconds(20))
            case let other: throw FixtureError("the task \(key) is \(other)")
            }
        }
        throw FixtureError("the task \(key) does not end")
    }

    /// A question is asked as the owner of the data, gets bytes and the exit status back, and ends in time.
    func checkQueries() async throws {
        let platform = try makePlatform()
        let location = try await platform.location(of: instance)
        func ask(_ script: String, deadline: Duration = .seconds(30)) async throws -> QueryAnswer {
            try await platform.query(
                PlaceQuery(
                    argv: ["/bin/sh", "-c", script, location.dataDirectory], environment: ["GREETING": "hello"],
                    secrets: ["TOKEN": secret.reference], deadline: deadline, outputLimit: 1000), of: instance)
        }
        let answer = try await ask(#"printf "$GREETING\0"; id -un; cat "$0/PG_VERSION"; echo wrong >&2; exit 7"#)
        try require(answer.exitStatus == 7, "the exit status is the program's, not \(answer.exitStatus)")
        try require(
            answer.output == Array("hello\0\(location.owner)\n\(majorVersion)\n".utf8),
            "the answer is the program's, asked by the owner beside the data")
        try require(answer.errors.contains("wrong"), "what was written to stderr is kept")
        let told = try await ask(#"printf %s "$TOKEN" | wc -c"#)
        try require(
            Int(String(decoding: told.output, as: UTF8.self).filter(\.isNumber)) == secret.value.utf8.count,
            "secrets reach the program")
        try require(try await ask("kill -9 $$").exitStatus == 137, "a signal is 128 and its number")
        try await requireError(.timedOut, of: "a question without an answer") {
            _ = try await ask("sleep 100 & wait", deadline: .milliseconds(300))
        }
        try await requireError(.exhausted, of: "an answer beyond the limit") {
            _ = try await ask("head -c 2000 /dev/zero")
        }
    }
}
