extension String {
    /// Without NUL, where SQLite would end the text and PostgreSQL refuse it: tools and servers may have said anything.
    var storable: String {
        guard utf8.contains(0) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }
}
