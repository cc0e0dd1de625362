/// Names of files that are being written: `.<name>.tmp-<16 hexadecimal digits>`, in the directory of the file they
/// will become.
public enum TemporaryName {
    /// A new name for what will be called `name`, at most 255 bytes long.
    static func make(for name: String) -> String {
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        let digits = String(repeating: "0", count: 16 - random.count) + random
        // 1 for the point, 5 for ".tmp-", 16 digits.
        var stem = name
        while stem.utf8.count > 255 - 22 { stem.removeLast() }
        return ".\(stem).tmp-\(digits)"
    }

    /// Whether a file name could be one of these: nothing else may be called so.
    public static func matches(_ name: some StringProtocol) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.first == UInt8(ascii: "."), bytes.count >= 22 else { return false }
        let suffix = bytes.suffix(21)
        return suffix.starts(with: ".tmp-".utf8)
            && suffix.dropFirst(5).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
