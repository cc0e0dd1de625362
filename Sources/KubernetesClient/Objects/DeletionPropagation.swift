/// What happens to the objects that an object owns when it is deleted.
public enum DeletionPropagation: String, Hashable, Sendable, Codable {
    /// They are deleted after it.
    case background = "Background"
    /// It goes after them.
    case foreground = "Foreground"
    /// They stay.
    case orphan = "Orphan"
}
