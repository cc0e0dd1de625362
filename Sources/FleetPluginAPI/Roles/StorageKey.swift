/// What may be a key in a storage: the same for all of them, so that a repository can be moved from one to another.
public enum StorageKey {
    /// Components separated by single slashes, none empty, none longer than 200 bytes or beginning with a point; no
    /// backslash or control character; at most 900 bytes in all.
    ///
    /// - Throws: `FleetError.usage`.
    public static func check(_ key: String) throws(FleetError) {
        if let fault = fault(in: key) {
            // The key itself may be what must not be printed: it may contain control characters.
            throw FleetError(.usage, "a storage key is not allowed", cause: fault)
        }
    }

    /// A prefix is the beginning of a key, cut anywhere; empty for all keys.
    ///
    /// - Throws: `FleetError.usage`.
    public static func check(prefix: String) throws(FleetError) {
        guard !prefix.isEmpty else { return }
        try check(prefix.utf8.last == UInt8(ascii: "/") ? prefix + "x" : prefix)
    }

    private static func fault(in key: String) -> String? {
        guard !key.isEmpty else { return "it is empty" }
        guard key.utf8.count <= 900 else { return "it is longer than 900 bytes" }
        guard key.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control && $0 != "\\" }) else {
            return "it contains a backslash or a control character"
        }
        for component in key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if component.isEmpty { return "\(key) has an empty component" }
            if component.first == UInt8(ascii: ".") { return "a component of \(key) begins with a point" }
            if component.count > 200 { return "a component of \(key) is longer than 200 bytes" }
        }
        return nil
    }
}
