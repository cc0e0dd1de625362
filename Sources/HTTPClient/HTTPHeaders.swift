/// Header fields in their order; names are compared without case.
public struct HTTPHeaders: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var fieldList: [Field]

    var fields: [(name: String, value: String)] { fieldList.map { ($0.name, $0.value) } }

    public init() {
        fieldList = []
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        fieldList = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value of this name. Setting it replaces all of them.
    public subscript(name: String) -> String? {
        get { fieldList.first { Self.areSame($0.name, name) }?.value }
        set {
            fieldList.removeAll { Self.areSame($0.name, name) }
            if let newValue { fieldList.append(Field(name: name, value: newValue)) }
        }
    }

    public func values(_ name: String) -> [String] {
        fieldList.filter { Self.areSame($0.name, name) }.map(\.value)
    }

    public mutating func add(_ name: String, _ value: String) {
        fieldList.append(Field(name: name, value: value))
    }

    private static func areSame(_ left: String, _ right: String) -> Bool {
        func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
        return left.utf8.elementsEqual(right.utf8) { lower($0) == lower($1) }
    }
}
