public import FleetPluginAPI

/// The JSON Schema of fleet.yaml, for editors and other tools.
public enum ConfigSchema {
    /// The schema for files that may name these plugins: JSON Schema, draft 2020-12.
    ///
    /// References between parts of the file are beyond it; `ConfigLoader` checks them.
    public static func jsonSchema(descriptors: [PluginDescriptor]) -> JSONValue {
        var schema = SchemaWriter(plugins: PluginCatalog(descriptors)).object(FleetSchema.root)
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        schema["title"] = "fleet.yaml"
        schema["description"] = "What a fleet of PostgreSQL servers is, and how it is backed up and restored."
        schema["$defs"] = .object(SchemaWriter.definitions)
        return .object(schema)
    }
}

/// Writes shapes as JSON Schema.
struct SchemaWriter {
    var plugins: PluginCatalog

    static let definitions: [String: JSONValue] = [
        "name": [
            "type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63,
            "description": "Lowercase letters, digits and hyphens.",
        ],
        "duration": [
            "type": "string", "pattern": "^(?=.)(\\d+w)?(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?(\\d+us)?$",
            "description": "A number and its unit, such as 30s, 15m, 1h30m, 30d.",
        ],
        "size": [
            "type": "string",
            "pattern": "^(\\d+(\\.\\d*)?|\\.\\d+) *(B|[kKMGTP]B|[kKMGTP]iB|[KMGT]i)$",
            "description": "A number and its unit, such as 64kB, 512MiB, 10GiB.",
        ],
        "percent": [
            "type": "string", "pattern": "^(100(\\.0*)?|\\d{1,2}(\\.\\d*)?|\\.\\d+)%$",
            "description": "From 0% to 100%.",
        ],
        "cron": [
            "type": "string", "pattern": "^(@[a-z]+|\\s*\\S+\\s+\\S+\\s+\\S+\\s+\\S+\\s+\\S+\\s*)$",
            "description": "Minute, hour, day of the month, month and day of the week, or @daily and its like; in UTC.",
        ],
        "url": ["type": "string", "pattern": "^[A-Za-z][^\\s:/?#@]*://[^\\s/?#]+\\S*$"],
        "secret": [
            "description": "Where a secret is to be found; never the secret itself.",
            "oneOf": [
                [
                    "type": "object", "required": ["env"], "additionalProperties": false,
                    "properties": [
                        "env": [
                            "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                            "description": "An environment variable.",
                        ]
                    ],
                ],
                [
                    "type": "object", "required": ["file"], "additionalProperties": false,
                    "properties": ["file": ["type": "string", "minLength": 1, "description": "A file."]],
                ],
                [
                    "type": "object", "required": ["command"], "additionalProperties": false,
                    "properties": [
                        "command": [
                            "type": "array", "minItems": 1, "items": ["type": "string"],
                            "description": "A program that prints it, and its arguments.",
                        ]
                    ],
                ],
            ],
        ],
    ]

    func schema(_ shape: Shape) -> [String: JSONValue] {
        switch shape {
        case .string, .sql: ["type": "string"]
        case .path: ["type": "string", "minLength": 1]
        case .name: reference("name")
        case .reference: ["type": "string"]
        case .integer(let minimum, let maximum):
            ["type": "integer"].merging(
                ["minimum": minimum, "maximum": maximum].compactMapValues { $0.map { .integer($0) } }
            ) { $1 }
        case .number: ["type": "number"]
        case .boolean: ["type": "boolean"]
        case .duration: reference("duration")
        case .size: reference("size")
        case .percent: reference("percent")
        case .secret: reference("secret")
        case .url: reference("url")
        case .cron: reference("cron")
        case .choice(let choices): ["type": "string", "enum": .array(choices.map { .string($0) })]
        case .constant(let text): ["const": .string(text)]
        case .text, .scalar: ["type": ["string", "number", "boolean"]]
        case .any(let isObject): isObject ? ["type": "object"] : [:]
        case .unsupported: ["not": [:]]
        case .list(let item, let minimum, let unique): list(item, minimum: minimum, unique: unique)
        case .map(let section, let value): map(section, value)
        case .object(let object): self.object(object)
        case .plugin(let role): plugin(role)
        case .instancePlatform: instancePlatform()
        }
    }

    private func reference(_ name: String) -> [String: JSONValue] {
        ["$ref": .string("#/$defs/\(name)")]
    }

    private func list(_ item: Shape, minimum: Int, unique: Bool) -> [String: JSONValue] {
        var schema: [String: JSONValue] = ["type": "array", "items": .object(self.schema(item))]
        // An empty value stands for an empty list.
        if minimum == 0 { schema["type"] = ["array", "null"] } else { schema["minItems"] = .integer(Int64(minimum)) }
        if unique { schema["uniqueItems"] = true }
        return schema
    }

    private func map(_ section: Section?, _ value: Shape) -> [String: JSONValue] {
        var schema: [String: JSONValue] = [
            "type": ["object", "null"], "additionalProperties": .object(self.schema(value)),
        ]
        if section != nil { schema["propertyNames"] = .object(reference("name")) }
        return schema
    }
}
