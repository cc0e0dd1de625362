@testable import FleetCommands

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The value after a journey through the JSON that the command writes.
func decoded<Value: Codable>(_ type: Value.Type, _ value: Value) throws -> Value {
    try JSONDecoder().decode(type, from: Data(try TextEncoding.json(value).utf8))
}
