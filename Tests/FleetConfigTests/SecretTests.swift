import FleetConfig
import FleetPluginAPI
import Testing

@Suite struct SecretTests {
    private let secret = "hunter2-s3cr3t"

    /// What is said when `connection.password` is this.
    private func expectPassword(
        _ text: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = try valid(("    policy: gold", "    connection: {password: \(text)}"))
        try expect(file, expected, sourceLocation: sourceLocation)
    }

    @Test func references() throws {
        try expectPassword("{env: PGPASSWORD}", [])
        try expectPassword("{file: /run/secret}", [])
        try expectPassword("{command: [vault, read, db]}", [])
    }

    @Test(arguments: [
        ("hunter2-s3cr3t", "12:28: instances.orders.connection.password: a secret must not stand in this file"),
        ("12345", "12:28: instances.orders.connection.password: a secret must not stand in this file"),
        ("[hunter2-s3cr3t]", "12:28: instances.orders.connection.password: a secret must not stand in this file"),
        ("", "12:28: instances.orders.connection.password: there is no value"),
        (
            "{value: hunter2-s3cr3t}",
            "12:28: instances.orders.connection.password: expected a reference to a secret with env, file or command, one of them"
        ),
        (
            "{env: A, file: b}",
            "12:28: instances.orders.connection.password: expected a reference to a secret with env, file or command, one of them"
        ),
    ])
    func literals(_ text: String, _ expected: String) throws {
        try expectPassword(text, [expected + " (write {env: NAME}, {file: PATH} or {command: [PROGRAM, …]})"])
    }

    @Test func whatIsNoVariableIsNotRepeated() throws {
        try expectPassword(
            "{env: hunter2-s3cr3t}",
            [
                "12:34: instances.orders.connection.password.env: this is not the name of an environment variable "
                    + "(write the name alone, such as PGPASSWORD)"
            ])
    }

    @Test(arguments: [
        ("postgresql://ann:hunter2-s3cr3t@db/shop", "a URL"),
        ("https://:hunter2-s3cr3t@h/x", "a URL"),
        ("http://u:hunter2-s3cr3t/x@h", "a URL"),
        ("postgresql://db/shop?user=a&password=hunter2-s3cr3t", "a URL"),
        ("host=db password=hunter2-s3cr3t", "a connection string"),
        ("host=db password = 'hunter2-s3cr3t'", "a connection string"),
        ("--password=hunter2-s3cr3t", "a connection string"),
        ("env PGPASSWORD=hunter2-s3cr3t psql", "a connection string"),
    ])
    func passwordsWithinTexts(_ text: String, _ carrier: String) throws {
        let message = "\(carrier) with a password in it must not stand in this file"
        for place in ["command: [\"\(text)\"]", "command: [a], extra: {deep: [\"\(text)\"]}", "commnd: \"\(text)\""] {
            let all = try mistakes(valid(("command: [run, shop]", place)))
            #expect(all.contains { $0.contains(message) })
            #expect(!all.contains { $0.contains(secret) })
        }
    }

    @Test(arguments: [
        "http://host:8080/a@b", "http://ann@host/", "https://host/?password=$SECRET", "passwordless=yes",
        "select password = 'x'", "the password", "nopassword=1",
    ])
    func harmlessTexts(_ text: String) throws {
        let isSQL = text.hasPrefix("select")
        let file =
            isSQL
            ? try valid(("    policy: gold", "    checks: [{name: a, sql: \"\(text)\"}]"))
            : try valid(("command: [run, shop]", "command: [\"\(text)\"]"))
        try expect(file, [])
    }

    @Test func passwordsInTheEnvironment() throws {
        let text = try valid(("command: [run, shop]", "command: [a], environment: {PGPASSWORD: \(secret)}"))
        try expect(
            text,
            [
                "20:59: applications.shop.scaler.environment.PGPASSWORD: a secret must not stand in this file "
                    + "(name a password file in PGPASSFILE instead)"
            ])
    }

    @Test func secretsUnderWrongKeysAreNotRepeated() throws {
        let text = try valid(("    policy: gold", "    connection: {pasword: \(secret), port: \"x://u:\(secret)@\"}"))
        let all = try mistakes(text)
        #expect(all.count == 2)
        #expect(!all.contains { $0.contains(secret) })
    }
}
