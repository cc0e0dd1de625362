import FleetConfig
import FleetPluginAPI
import Testing
import YAML

@Suite struct SchemaTests {
    private let schema = ConfigSchema.jsonSchema(descriptors: descriptors)

    @Test func saysWhatItIs() {
        #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema["required"] == ["apiVersion", "kind"])
        #expect(schema["properties"]?["apiVersion"]?["const"] == "fleet/v1")
        #expect(schema["additionalProperties"] == false)
    }

    @Test func pluginsBringTheirOptions() throws {
        let storage = try #require(
            schema["properties"]?["repositories"]?["additionalProperties"]?["properties"]?["storage"])
        #expect(storage["properties"]?["plugin"]?["enum"] == ["directory", "s3"])
        let cases = try #require(storage["allOf"]?.array)
        let s3 = try #require(cases.first { $0["if"]?["properties"]?["plugin"]?["const"] == "s3" }?["then"])
        #expect(s3["required"] == ["endpoint", "bucket", "accessKey", "secretKey"])
        #expect(s3["additionalProperties"] == false)
        #expect(s3["properties"]?["secretKey"]?["$ref"] == "#/$defs/secret")
        #expect(s3["properties"]?["partSize"]?["default"] == "16MiB")
        #expect(s3["properties"]?["bucket"]?["description"] == "The bucket.")
    }

    @Test func everythingIsDescribedAndDefined() throws {
        let definitions = try #require(schema["$defs"]?.object)
        var properties = 0
        func walk(_ value: JSONValue) {
            if let target = value["$ref"]?.string {
                #expect(definitions[String(target.dropFirst("#/$defs/".count))] != nil)
            }
            for (name, property) in value["properties"]?.object ?? [:] where property.object?["const"] == nil {
                guard name != "plugin", name != "env", name != "file" else { continue }
                properties += 1
                #expect(property["description"]?.string?.isEmpty == false, "\(name) is not described")
            }
            for member in value.object?.values.map({ $0 }) ?? value.array ?? [] { walk(member) }
        }
        walk(schema)
        #expect(properties > 50)
    }

    @Test func acceptsTheDesign() throws {
        let document = try json(YAMLDocument.parse(design))
        #expect(JSONSchemaChecker(root: schema).problems(document, schema, "") == [])
    }

    /// What a schema can see, it must not let pass.
    @Test(
        arguments: DiagnosticTests.types.filter { mistake in
            !["NUL", "already", "with a tag", "~ with"].contains { mistake.expected.first?.contains($0) == true }
        })
    func refusesWhatTheLoaderRefuses(_ mistake: DiagnosticTests.Mistake) throws {
        let document = try json(YAMLDocument.parse(valid((mistake.old, mistake.new))))
        #expect(JSONSchemaChecker(root: schema).problems(document, schema, "") != [])
    }

    @Test func acceptsWhatTheLoaderAccepts() throws {
        for text in [try valid(), header + "clusters:\nalerts:\nx-free: [1]\n"] {
            _ = try load(text)
            #expect(JSONSchemaChecker(root: schema).problems(try json(YAMLDocument.parse(text)), schema, "") == [])
        }
    }

    private func json(_ node: YAMLNode) throws -> JSONValue {
        switch node.content {
        case .sequence(let nodes): return .array(try nodes.map(json))
        case .mapping(let pairs):
            return .object(
                try Dictionary(pairs.map { ($0.key.scalar?.text ?? "", try json($0.value)) }) { first, _ in first })
        case .scalar(let scalar):
            if scalar.tag == .null { return .null }
            if let bool = scalar.bool { return .bool(bool) }
            if let integer = scalar.integer { return .integer(integer) }
            if let number = scalar.number { return .number(number) }
            return .string(scalar.text)
        }
    }
}

/// As much of JSON Schema as fleet's uses, patterns aside; any keyword that it does not know is a problem.
struct JSONSchemaChecker {
    var root: JSONValue

    func problems(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
        if let bool = schema.bool { return bool ? [] : ["\(path): nothing is allowed here"] }
        return (schema.object ?? [:]).flatMap { keyword, rule in check(value, keyword, rule, schema, path) }
    }

    private func check(_ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ schema: JSONValue, _ path: String)
        -> [String]
    {
        func problem(_ isThere: Bool) -> [String] { isThere ? ["\(path): \(keyword)"] : [] }
        switch keyword {
        case "$schema", "title", "description", "default", "$defs", "then", "pattern", "patternProperties": return []
        case "$ref":
            let name = String((rule.string ?? "").dropFirst("#/$defs/".count))
            return problems(value, root["$defs"]?[name] ?? false, path)
        case "type": return problem(!(rule.array ?? [rule]).contains { isOf(value, $0.string ?? "") })
        case "const": return problem(value != rule)
        case "enum": return problem(rule.array?.contains(value) != true)
        case "minimum": return problem((value.integer ?? .max) < (rule.integer ?? .min))
        case "maximum": return problem((value.integer ?? .min) > (rule.integer ?? .max))
        case "minLength": return problem((value.string?.count ?? .max) < rule.integer ?? 0)
        case "maxLength": return problem((value.string?.count ?? 0) > rule.integer ?? 0)
        case "minItems": return problem((value.array?.count ?? .max) < rule.integer ?? 0)
        case "uniqueItems": return problem(Set(value.array ?? []).count != value.array?.count ?? 0)
        case "items":
            return (value.array ?? []).enumerated().flatMap { problems($1, rule, "\(path)[\($0)]") }
        case "required":
            return problem(
                value.object.map { members in
                    (rule.array ?? []).contains { members[$0.string ?? ""] == nil }
                } ?? false)
        case "propertyNames": return (value.object ?? [:]).keys.flatMap { problems(.string($0), rule, "\(path).\($0)") }
        case "properties":
            return (rule.object ?? [:]).flatMap { name, rule in
                value[name].map { problems($0, rule, "\(path).\(name)") } ?? []
            }
        case "additionalProperties":
            return (value.object ?? [:]).filter { name, _ in
                schema["properties"]?[name] == nil && !(schema["patternProperties"] != nil && name.hasPrefix("x-"))
            }.flatMap { problems($1, rule, "\(path).\($0)") }
        case "allOf": return (rule.array ?? []).flatMap { problems(value, $0, path) }
        case "anyOf": return problem(!(rule.array ?? []).contains { problems(value, $0, path).isEmpty })
        case "oneOf": return problem((rule.array ?? []).filter { problems(value, $0, path).isEmpty }.count != 1)
        case "not": return problem(problems(value, rule, path).isEmpty)
        case "if":
            return problems(value, rule, path).isEmpty ? problems(value, schema["then"] ?? true, path) : []
        default: return ["\(path): \(keyword) is unknown"]
        }
    }

    private func isOf(_ value: JSONValue, _ type: String) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}
