internal import FleetPluginAPI

extension SchemaWriter {
    func object(_ shape: ObjectShape) -> [String: JSONValue] {
        var schema: [String: JSONValue] = [
            "properties": .object(properties(shape.fields)),
            "additionalProperties": false,
        ]
        let required = names(shape.fields.filter(\.isRequired))
        // Where nothing is required, an empty value stands for an empty mapping.
        schema["type"] = required.isEmpty ? ["object", "null"] : "object"
        if !required.isEmpty { schema["required"] = .array(required) }
        if shape.allowsExtensions { schema["patternProperties"] = ["^x-": true] }
        if !shape.exclusive.isEmpty {
            schema["allOf"] = .array(
                shape.exclusive.enumerated().flatMap { index, first in
                    shape.exclusive.dropFirst(index + 1).map { second in
                        ["not": ["required": .array([.string(first), .string(second)])]]
                    }
                })
        }
        if !shape.asksForOneOf.isEmpty {
            schema["type"] = "object"
            schema["anyOf"] = .array(shape.asksForOneOf.map { ["required": .array([.string($0)])] })
        }
        if shape.asksForRepositories { schema["allOf"] = .array([repositoriesWhereNeeded]) }
        return schema
    }

    /// Only an engine that keeps its own repositories can do without those of the file.
    private var repositoriesWhereNeeded: JSONValue {
        let engines = plugins.all(.engine).filter { !$0.keepsOwnRepositories }.map { JSONValue.string($0.name) }
        return [
            "if": [
                "required": ["engine"],
                "properties": [
                    "engine": [
                        "description": "An engine that must be told where to put its backups.",
                        "required": ["plugin"], "properties": ["plugin": ["enum": .array(engines)]],
                    ]
                ],
            ],
            "then": ["required": ["repositories"]],
        ]
    }

    private func properties(_ fields: [ObjectShape.Field]) -> [String: JSONValue] {
        var properties: [String: JSONValue] = [:]
        for field in fields {
            var schema = schema(field.shape)
            schema["description"] = .string(field.help)
            if let value = field.defaultValue { schema["default"] = value }
            properties[field.name] = .object(schema)
        }
        return properties
    }

    private func names(_ fields: [ObjectShape.Field]) -> [JSONValue] {
        fields.map { .string($0.name) }
    }

    /// Which options there are depends on the plugin.
    func plugin(_ role: PluginRole) -> [String: JSONValue] {
        let plugins = plugins.all(role)
        let cases: [JSONValue] = plugins.map { plugin in
            let fields = plugin.options.map(ObjectShape.Field.init)
            var properties = properties(fields)
            properties["plugin"] = true
            var then: [String: JSONValue] = [
                "description": .string(plugin.summary), "properties": .object(properties),
                "additionalProperties": false,
            ]
            let required = names(fields.filter(\.isRequired))
            if !required.isEmpty { then["required"] = .array(required) }
            return [
                "if": ["required": ["plugin"], "properties": ["plugin": ["const": .string(plugin.name)]]],
                "then": .object(then),
            ]
        }
        var schema: [String: JSONValue] = [
            "type": "object", "required": ["plugin"],
            "properties": [
                "plugin": [
                    "enum": .array(plugins.map { .string($0.name) }),
                    "description": .string("The \(role.rawValue) plugin; its options stand beside this."),
                ]
            ],
        ]
        if !cases.isEmpty { schema["allOf"] = .array(cases) }
        return schema
    }

    /// Which platform it is, the instance's cluster says; a schema cannot follow that, so any of them may fit.
    func instancePlatform() -> [String: JSONValue] {
        let shapes = plugins.all(.platform).map { plugin in
            var schema = object(ObjectShape(noun: plugin.name, options: plugin.instanceOptions))
            schema["description"] = .string("On the platform \(plugin.name): \(plugin.summary)")
            return JSONValue.object(schema)
        }
        return shapes.isEmpty ? ["type": ["object", "null"]] : ["anyOf": .array(shapes)]
    }
}
