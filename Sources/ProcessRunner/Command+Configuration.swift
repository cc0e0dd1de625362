import FleetPluginAPI
import Glibc
import Subprocess
import SystemPackage

extension Command {
    func configuration(_ options: PlatformOptions) throws -> Configuration {
        let argv = try privilegedArgv()
        let program = argv.first ?? ""
        return Configuration(
            executable: program.utf8.contains(UInt8(ascii: "/")) ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(Array(argv.dropFirst())),
            environment: subprocessEnvironment(),
            workingDirectory: workingDirectory.map { FilePath($0) },
            platformOptions: options)
    }

    /// Teardown is graceful, reaches the whole process group, and ends with SIGKILL.
    func platformOptions(ownGroup: Bool = false, ownSession: Bool = false) throws -> PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = ownGroup ? 0 : nil
        options.createSession = ownSession
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
        return options
    }

    /// The command line that becomes the user first, where that is another one.
    ///
    /// setpriv(1) and not the library's own switch of user: that calls setgroups in a clone whose list of threads is
    /// still the parent's (glibc learns of a fork only in its own `fork`), and now and then waits for them forever.
    private func privilegedArgv() throws -> [String] {
        guard let user, user.userID != geteuid() else { return argv }
        guard geteuid() == 0 else {
            throw FleetError(
                .denied, "cannot run \(name) as \(user.name)", cause: "only root may run programs as another user",
                hint: "run fleet as root or as \(user.name)")
        }
        let program = argv.first ?? ""
        // A relative path is looked up where the program runs, by setpriv itself.
        guard program.contains("/") && !program.hasPrefix("/") || ExecutableSearch.find(program, in: path) != nil else {
            throw FleetError(
                .notFound, "\(program) is not there", hint: "install it, or give its whole path or a PATH")
        }
        guard let setpriv = ExecutableSearch.find("setpriv", in: ExecutableSearch.standardPath) else {
            throw FleetError(
                .notFound, "cannot run \(name) as \(user.name): setpriv is not there", hint: "install util-linux")
        }
        let groups =
            user.groups.isEmpty
            ? ["--clear-groups"] : ["--groups", user.groups.map(String.init).joined(separator: ",")]
        return [setpriv, "--reuid", "\(user.userID)", "--regid", "\(user.groupID)"] + groups + ["--"] + argv
    }

    /// The `PATH` that the program gets.
    private var path: String? {
        switch environment.overrides["PATH"] {
        case let path??: path
        case .some(nil): ExecutableSearch.standardPath
        case nil: nil
        }
    }

    private func subprocessEnvironment() -> Environment {
        let described = environment.describing(user)
        var overrides: [Environment.Key: String?] = [:]
        for (name, value) in described.overrides {
            if let key = Environment.Key(rawValue: name) { overrides[key] = .some(value) }
        }
        for (name, secret) in secrets {
            if let key = Environment.Key(rawValue: name) { secret.reveal { overrides[key] = .some($0) } }
        }
        return described.inherits ? .inherit.updating(overrides) : .custom(overrides.compactMapValues(\.self))
    }

    /// Why a program could not be started. The library's own text is not used: it may name variables' values.
    func startFailure(_ error: SubprocessError) -> FleetError {
        let cause = error.underlyingError?.description
        switch (error.code, error.underlyingError) {
        case (.executableNotFound, _) where isThere:
            return FleetError(
                .denied, "cannot start \(argv.first ?? "")", hint: "check that it is a program and executable")
        case (.executableNotFound, _):
            return FleetError(
                .notFound, "\(argv.first ?? "") is not there", hint: "install it, or give its whole path or a PATH")
        case (.failedToChangeWorkingDirectory, _):
            return FleetError(.notFound, "cannot run \(name) in \(workingDirectory ?? "")", cause: cause)
        case (_, .permissionDenied?), (_, .notPermitted?):
            return FleetError(
                .denied, "cannot start \(argv.first ?? "")", cause: cause,
                hint: "check that it is executable, also for the user it runs as")
        case (_, .noSuchFileOrDirectory?):
            let directory = workingDirectory.map { " in \($0)" } ?? ""
            return FleetError(.notFound, "cannot start \(argv.first ?? "")\(directory)", cause: cause)
        case (_, .resourceTemporarilyUnavailable?), (_, .noMemory?), (_, .tooManyOpenFiles?):
            return FleetError(.exhausted, "cannot start \(argv.first ?? "")", cause: cause)
        default:
            return FleetError(.failed, "cannot run \(argv.first ?? "")", cause: cause)
        }
    }
}

extension Command {
    /// Whether the program was named by a path at which something is.
    private var isThere: Bool {
        guard let program = argv.first, program.utf8.contains(UInt8(ascii: "/")) else { return false }
        return access(program, F_OK) == 0
    }
}

extension ProcessStatus {
    init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .exited(code)
        case .signaled(let signal): self = .signalled(signal)
        }
    }
}
