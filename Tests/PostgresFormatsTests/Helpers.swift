import FleetPluginAPI
import FoundationEssentials
import Testing

extension FleetError.Code: Error {}

/// Throws the code of the error that `body` throws, so that a test can name it.
@discardableResult
func code<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as FleetError { throw error.code }
}

enum JSONRoundTrip {
    /// The value, written as JSON and read again.
    static func of<T: Codable>(_ value: T) throws -> T {
        try JSONDecoder().decode(T.self, from: JSONEncoder().encode(value))
    }
}

/// The bytes of a file that must be there.
func fileBytes(_ path: String) throws -> [UInt8] {
    [UInt8](try #require(FileManager.default.contents(atPath: path), "\(path)"))
}
