import Glibc

/// The environment a program is given.
public struct ProcessEnvironment: Sendable, Hashable {
    /// Whether it begins with all that this process has.
    var inherits: Bool
    /// Nil: the variable is taken away.
    var overrides: [String: String?]
    /// Whether `HOME`, `USER` and `LOGNAME` may be set from the account it runs as.
    var describesUser: Bool

    /// Nothing but these.
    public static func exactly(_ variables: [String: String]) -> ProcessEnvironment {
        ProcessEnvironment(inherits: false, overrides: variables.mapValues { $0 }, describesUser: false)
    }

    /// What programs need to find their way (`PATH`, `HOME`, locale, time zone, `TMPDIR`), from this process; nothing
    /// that would steer PostgreSQL or another tool. With another user, `HOME`, `USER` and `LOGNAME` are that user's.
    public static var minimal: ProcessEnvironment {
        var variables: [String: String?] = [:]
        for name in ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        if variables["PATH"] == nil { variables["PATH"] = ExecutableSearch.standardPath }
        return ProcessEnvironment(inherits: false, overrides: variables, describesUser: true)
    }

    /// All that this process has.
    public static var inherited: ProcessEnvironment {
        ProcessEnvironment(inherits: true, overrides: [:], describesUser: false)
    }

    public func adding(_ variables: [String: String]) -> ProcessEnvironment {
        var environment = self
        for (name, value) in variables { environment.overrides[name] = .some(value) }
        return environment
    }

    public func removing(_ names: [String]) -> ProcessEnvironment {
        var environment = self
        for name in names {
            if inherits { environment.overrides[name] = .some(nil) } else { environment.overrides[name] = nil }
        }
        return environment
    }

    func describing(_ user: UserAccount?) -> ProcessEnvironment {
        guard describesUser, let user else { return self }
        return adding(["HOME": user.home, "USER": user.name, "LOGNAME": user.name])
    }
}
