import FleetConfig
import FleetPluginAPI
import FleetTestSupport
import Testing

@Suite struct LoaderTests {
    /// As somebody writes it who has read half of the README.
    private let wrong = """
        apiVersion: v1
        kind: fleet
        cluster:
          prod: {}
        clusters:
          prod:
            enviroment: prod
            platform: host
          prod:
            environment: prod
        repositories:
          Local Disk:
            storage: {plugin: dir, path: /backup}
        policies:
          gold:
            schedule: {full: 0 2 * * * *, weekly: "@weekly"}
            retention: 7
            rpo: 15
            rto: 30 min
        instances:
          orders:
            cluster: production
            policy: silver
            engine: {plugin: native, compression: high}
            repository: local
            connection: {user: ann, password: hunter2, port: 54321234}
            checks: [{name: some, query: select 1, atLeast: "1"}]
        applications:
          shop: {uses: orders, scaler: {plugin: process}, probes: [http]}
        alerts: {noBackupFor: 48, repositoryUse: 0.8}
        """

    @Test func reportsEverythingAtOnce() throws {
        try expect(
            wrong,
            [
                "1:13: apiVersion: expected fleet/v1, found v1 (this version of fleet reads fleet/v1)",
                "2:7: kind: expected Fleet, found fleet (this version of fleet reads Fleet)",
                "3:1: cluster: unknown key cluster (did you mean clusters?)",
                "6:3: clusters.prod.environment: environment is missing (Such as dev or prod.)",
                "7:5: clusters.prod.enviroment: unknown key enviroment (did you mean environment?)",
                "8:15: clusters.prod.platform: expected a mapping, found the string host (write {plugin: host})",
                "9:3: clusters.prod: the key stands here twice (it is at 6:3 already)",
                "12:3: repositories.\"Local Disk\": Local Disk is not a name "
                    + "(use lowercase letters, digits and hyphens: local-disk)",
                "13:23: repositories.\"Local Disk\".storage.plugin: there is no storage plugin dir "
                    + "(there is: directory, s3)",
                "16:22: policies.gold.schedule.full: expected five cron fields, found 6 "
                    + "(there is no field for seconds or years: write minute, hour, day, month and weekday)",
                "16:35: policies.gold.schedule.weekly: unknown key weekly (a schedule has: full, diff, incr)",
                "17:16: policies.gold.retention: expected a mapping, found the integer 7 (retention has: full, diff, window)",
                "18:10: policies.gold.rpo: the duration has no unit (write 15s, 15m, 15h or 15d)",
                "19:10: policies.gold.rto: expected a duration, found the string 30 min (did you mean 30m?)",
                "21:3: instances.orders.repositories: repositories is missing "
                    + "(Where its backups go, in order of preference.)",
                "22:14: instances.orders.cluster: there is no cluster production (there is: prod)",
                "23:13: instances.orders.policy: there is no policy silver (there is: gold)",
                "24:43: instances.orders.engine.compression: expected an integer, found the string high",
                "25:5: instances.orders.repository: unknown key repository (did you mean repositories?)",
                "26:39: instances.orders.connection.password: a secret must not stand in this file "
                    + "(write {env: NAME}, {file: PATH} or {command: [PROGRAM, …]})",
                "26:54: instances.orders.connection.port: expected an integer from 1 to 65535, found 54321234",
                "27:14: instances.orders.checks[0].sql: sql is missing "
                    + "(A statement that yields one value; run read-only.)",
                "27:27: instances.orders.checks[0].query: unknown key query "
                    + "(a check has: name, sql, database, equals, atLeast, atMost)",
                "27:53: instances.orders.checks[0].atLeast: expected a number, found the string 1 (remove the quotes)",
                "29:3: applications.shop.cluster: cluster is missing (The cluster that it runs in.)",
                "29:16: applications.shop.uses: expected a list, found the string orders (write it in brackets: [orders])",
                "29:24: applications.shop.scaler.command: command is missing (Program and arguments.)",
                "29:60: applications.shop.probes[0]: expected a mapping, found the string http (write {plugin: http})",
                "30:23: alerts.noBackupFor: the duration has no unit (write 48s, 48m, 48h or 48d)",
                "30:42: alerts.repositoryUse: the percentage has no % (write 0.8%)",
            ])
    }

    @Test func asOneError() throws {
        let error = try #require(throws: ConfigurationError.self) { try load(wrong, path: "fleet.yaml") }
        #expect(error.fleetError.code == .configuration)
        #expect(error.fleetError.code.exitStatus == .usage)
        #expect(error.fleetError.message == "fleet.yaml has 30 mistakes")
        #expect(error.description.hasPrefix("fleet.yaml:1:13: apiVersion: "))
    }

    @Test func readsFiles() async throws {
        try await withScratch { scratch in
            let path = try scratch.write(valid(), to: "fleet.yaml")
            let fleet = try ConfigLoader(descriptors: descriptors).load(path: path)
            #expect(fleet.repositories["local"]?.storage.options.string("path") == scratch.path("repository"))
            for wrong in [scratch.path("none.yaml"), scratch.path] {
                let error = try #require(throws: FleetError.self) {
                    try ConfigLoader(descriptors: descriptors).load(path: wrong)
                }
                #expect(error.code == .configuration)
                #expect(error.message == "the file \(wrong) cannot be read")
            }
        }
    }

    @Test func endlessFilesEnd() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigLoader(descriptors: descriptors).load(path: "/dev/zero")
        }
        #expect(error.diagnostics.count == 1)
    }

    @Test func manyMistakesAreCutOff() throws {
        let text = header + "instances:\n" + (0..<5000).map { "  i\($0): {clutser: x, policy: y}\n" }.joined()
        let error = try #require(throws: ConfigurationError.self) { try load(text) }
        #expect(error.diagnostics.count <= 201)
        #expect(error.diagnostics.last?.message.contains("more") == true)
    }

    @Test func aliasedMistakesAreSaidOnceAPlace() throws {
        let text = try valid(
            ("policies:\n  gold: {rpo: 15m}", "policies:\n  gold: &p {rpo: 15}\n  silver: *p"))
        try expect(
            text,
            [
                "8:18: policies.gold.rpo: the duration has no unit (write 15s, 15m, 15h or 15d)",
                "8:18: policies.silver.rpo: the duration has no unit (write 15s, 15m, 15h or 15d)",
            ])
    }

    @Test func anEngineMayKeepItsOwnRepositories() throws {
        let text = try valid(
            ("{plugin: native}", "{plugin: pgbackrest, stanza: main}"), ("    repositories: [local]\n", ""))
        let configuration = try load(text)
        #expect(configuration.instances["orders"]?.repositories == [])
        let extract = try configuration.extract(instance: "orders")
        #expect(try load(extract).instances["orders"]?.repositories == [])
    }
}
