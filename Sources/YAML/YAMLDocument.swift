/// Reads a YAML document.
///
/// The syntax is libyaml's, YAML 1.1 and, where they differ, mostly 1.2. Plain scalars are resolved by the core schema
/// of YAML 1.2: `no` and `on` are strings. Aliases are resolved, and so are merge keys (`<<` as a plain key, of
/// https://yaml.org/type/merge.html): a mapping's own keys win over merged ones, and the first of several merged
/// mappings wins over the later ones.
public enum YAMLDocument {
    /// The root of the one document in `bytes`: UTF-8, with or without a byte order mark. Without any content it is a
    /// null scalar.
    ///
    /// Time and memory are linear in what `limits` allow.
    /// - Throws: the first thing that is wrong, with its place.
    public static func parse(_ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(YAMLError) -> YAMLNode {
        try Encoding.check(bytes, limits)
        guard !bytes.isEmpty else { return TreeBuilder.nothing }
        var events = try EventParser(bytes)
        var builder = TreeBuilder(limits: limits)
        while !builder.isFinished {
            try builder.add(events.next())
        }
        return builder.root
    }

    public static func parse(_ text: String, limits: YAMLLimits = YAMLLimits()) throws(YAMLError) -> YAMLNode {
        try parse(Array(text.utf8), limits: limits)
    }
}
