package import FleetPluginAPI
import Glibc
import SystemPackage

extension FleetError {
    /// A failed system call on a file, by what the caller would do about it.
    package init(errno code: Int32, _ message: String) {
        let (kind, hint) = Self.meaning(of: code)
        self.init(kind, message, cause: Errno(rawValue: code).description, hint: hint)
    }

    private static func meaning(of code: Int32) -> (Code, String?) {
        switch code {
        case ENOENT, ENOTDIR: (.notFound, nil)
        case EEXIST, ENOTEMPTY: (.alreadyExists, nil)
        case EACCES, EPERM: (.denied, "check owner and mode of the path and its parent directories")
        case EROFS: (.denied, "the file system is mounted read-only; the kernel may have done so after an error")
        case ELOOP: (.denied, "a symbolic link stands where none is followed")
        case ENOSPC: (.exhausted, "free space on the file system, or make it larger")
        case EDQUOT: (.exhausted, "raise the quota or free space")
        case EFBIG: (.exhausted, "the file system or the limit on file sizes does not allow a file this large")
        case EMFILE, ENFILE, ENOMEM: (.exhausted, "raise the limit on open files or memory")
        case EIO: (.unavailable, "look for disk errors in the kernel's log")
        case EUCLEAN, EBADMSG: (.corrupted, "the file system is damaged; check it before using it further")
        case ESTALE, ENODEV, ENXIO, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ESHUTDOWN:
            (.unavailable, "check that the file system is mounted and its server answers")
        case EBUSY, ETXTBSY: (.conflict, nil)
        case EAGAIN: (.conflict, nil)
        default: (.failed, nil)
        }
    }
}

/// Makes a system call again while it is interrupted; a failure is an error that says what was being done.
@discardableResult
func systemCall<Value: SignedInteger>(_ activity: @autoclosure () -> String, _ call: () -> Value) throws -> Value {
    while true {
        let value = call()
        if value >= 0 { return value }
        let code = errno
        if code != EINTR { throw FleetError(errno: code, "cannot \(activity())") }
    }
}
