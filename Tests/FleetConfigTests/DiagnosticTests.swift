import FleetConfig
import FleetPluginAPI
import Testing

@Suite struct DiagnosticTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        /// What `valid()` holds, and what to make of it.
        var old: String
        var new: String
        /// All that is to be said.
        var expected: [String]
        var testDescription: String { new }

        init(_ old: String, _ new: String, _ expected: String...) {
            self.old = old
            self.new = new
            self.expected = expected
        }
    }

    @Test func validFile() throws {
        try expect(valid(), [])
    }

    @Test(arguments: keys + types + units + names)
    func says(_ mistake: Mistake) throws {
        try expect(valid((mistake.old, mistake.new)), mistake.expected)
    }

    static let keys = [
        Mistake(
            "    policy: gold", "    polcy: gold",
            "12:5: instances.orders.polcy: unknown key polcy (did you mean policy?)"),
        Mistake(
            "    policy: gold", "    schedule: daily",
            "12:5: instances.orders.schedule: unknown key schedule (schedule belongs to a policy)"),
        Mistake(
            "    policy: gold", "    stanza: x",
            "12:5: instances.orders.stanza: unknown key stanza "
                + "(stanza belongs to the engine plugin pgbackrest, beside plugin:)"),
        Mistake(
            "gold: {rpo: 15m}", "gold: {colour: red}",
            "8:10: policies.gold.colour: unknown key colour (a policy has: schedule, retention, rpo, rto, drill)"),
        Mistake(
            "policies:", "policys:",
            "7:1: policys: unknown key policys (did you mean policies?)",
            "12:13: instances.orders.policy: there is no policy gold (none is declared; add it under policies)"),
        Mistake(
            "    cluster: prod\n    policy", "    policy",
            "10:3: instances.orders.cluster: cluster is missing (The cluster that it runs in.)"),
        Mistake(
            "{dataDirectory: /data/orders}", "{data_directory: /d}",
            "13:5: instances.orders.platform.dataDirectory: dataDirectory is missing (PostgreSQL's data directory.)",
            "13:16: instances.orders.platform.data_directory: unknown key data_directory (did you mean dataDirectory?)"),
        Mistake(
            "    platform: {dataDirectory: /data/orders}\n", "",
            "10:3: instances.orders.platform.dataDirectory: dataDirectory is missing (PostgreSQL's data directory.)"),
        Mistake(
            "  gold: {rpo: 15m}", "  gold: {rpo: 15m}\n  gold: {}",
            "9:3: policies.gold: the key stands here twice (it is at 8:3 already)"),
        Mistake(
            "rpo: 15m", "rpo: 15m, rpo: 16m",
            "8:20: policies.gold.rpo: the key stands here twice (it is at 8:10 already)"),
        Mistake("rpo: 15m", "[a]: 15m", "8:10: policies.gold: a key must be a word, not a list or mapping"),
        Mistake(
            "policies:", "state: {postgres: {}}\npolicies:",
            "7:9: state.postgres: this is not in this version of fleet (write sqlite: PATH)"),
        Mistake(
            "kind: Fleet", "kind: fleet",
            "2:7: kind: expected Fleet, found fleet (this version of fleet reads Fleet)"),
        Mistake(
            "fleet/v1", "fleet/v2",
            "1:13: apiVersion: expected fleet/v1, found fleet/v2 (this version of fleet reads fleet/v1)"),
        Mistake("kind: Fleet\n", "", "1:1: kind: kind is missing (write kind: Fleet)"),
    ]

    static let types = [
        Mistake(
            "repositories: [local]", "repositories: local",
            "15:19: instances.orders.repositories: expected a list, found the string local (write it in brackets: [local])"
        ),
        Mistake(
            "    repositories: [local]\n", "",
            "10:3: instances.orders.repositories: repositories is missing "
                + "(Where its backups go, in order of preference.)"),
        Mistake(
            "repositories: [local]", "repositories: []",
            "15:19: instances.orders.repositories: the list is empty (name at least 1)"),
        Mistake(
            "repositories: [local]", "repositories: [local, local]",
            "15:27: instances.orders.repositories[1]: local stands here twice"),
        Mistake(
            "engine: {plugin: native}", "engine: native",
            "14:13: instances.orders.engine: expected a mapping, found the string native (write {plugin: native})"),
        Mistake(
            "engine: {plugin: native}", "engine: {compression: 3}",
            "14:5: instances.orders.engine.plugin: plugin is missing (name the engine plugin: native, pgbackrest)"),
        Mistake(
            "engine: {plugin: native}", "engine: {plugin: natve}",
            "14:22: instances.orders.engine.plugin: there is no engine plugin natve (did you mean native?)"),
        Mistake(
            "engine: {plugin: native}", "engine: {plugin: s3}",
            "14:22: instances.orders.engine.plugin: there is no engine plugin s3 "
                + "(s3 is a storage plugin; there is: native, pgbackrest)"),
        Mistake(
            "{plugin: native}", "{plugin: native, compression: 22}",
            "14:43: instances.orders.engine.compression: expected an integer from 1 to 19, found 22"),
        Mistake(
            "{plugin: native}", "{plugin: native, compression: \"3\"}",
            "14:43: instances.orders.engine.compression: expected an integer, found the string 3 (remove the quotes)"),
        Mistake(
            "{plugin: native}", "{plugin: native, checkpoint: Fast}",
            "14:42: instances.orders.engine.checkpoint: Fast is none of: fast, spread (did you mean fast?)"),
        Mistake(
            "{plugin: native}", "{plugin: pgbackrest, stanza: 12}",
            "14:42: instances.orders.engine.stanza: expected a string, found the integer 12 (put it in quotes: \"12\")"),
        Mistake(
            "command: [run, shop]", "command: run shop",
            "20:40: applications.shop.scaler.command: expected a list, found the string run shop "
                + "(write it in brackets: […])"),
        Mistake(
            "command: [run, shop]", "command: [run], environment: {PORT: [80]}",
            "20:67: applications.shop.scaler.environment.PORT: expected a string, found a list"),
        Mistake(
            "{plugin: directory, path: repository}",
            "{plugin: s3, endpoint: s3.example, bucket: b, accessKey: {env: A}, secretKey: {env: B}, pathStyle: yes}",
            "6:43: repositories.local.storage.endpoint: expected a URL, found s3.example "
                + "(write for example https://host/path)",
            "6:119: repositories.local.storage.pathStyle: expected true or false, found the string yes "
                + "(YAML 1.2 takes yes for text: write true)"),
        Mistake(
            "policy: gold", "policy:",
            "12:12: instances.orders.policy: there is no value (write the name of a policy, or remove the key)"),
        Mistake(
            "policy: gold", "policy: [gold]",
            "12:13: instances.orders.policy: expected the name of a policy, found a list"),
        Mistake(
            "policies:\n  gold: {rpo: 15m}", "policies: [gold]",
            "7:11: policies: expected a mapping, found a list (write {NAME: {…}}, NAME being the policy's)",
            "11:13: instances.orders.policy: there is no policy gold (none is declared; add it under policies)"),
        Mistake(
            "path: repository", "path: ~bob/repository",
            "6:46: repositories.local.storage.path: ~ with a user's name is not understood (write the path in full)"),
        Mistake(
            "path: repository", "path: \"a\\0b\"",
            "6:46: repositories.local.storage.path: the value holds a NUL character"),
        Mistake(
            "path: repository", "path: !mine repository",
            "6:46: repositories.local.storage.path: expected a path, found a value with a tag (remove the tag)"),
        Mistake(
            "    policy: gold", "    checks: [{name: a, sql: select 1, equals: 1, atLeast: 2}]",
            "12:50: instances.orders.checks[0].atLeast: equals and atLeast exclude each other"),
        Mistake(
            "    policy: gold", "    checks: [{name: a, sql: x}, {name: a, sql: y}]",
            "12:40: instances.orders.checks[1].name: there is a check a already"),
    ]

    static let units = [
        Mistake(
            "rpo: 15m", "rpo: 15", "8:15: policies.gold.rpo: the duration has no unit (write 15s, 15m, 15h or 15d)"),
        Mistake(
            "rpo: 15m", "rpo: 15 minutes",
            "8:15: policies.gold.rpo: expected a duration, found the string 15 minutes (did you mean 15m?)"),
        Mistake(
            "rpo: 15m", "rpo: soon",
            "8:15: policies.gold.rpo: expected a duration, found the string soon "
                + "(write for example 30s, 15m, 1h30m or 30d)"),
        Mistake("rpo: 15m", "rpo: 0s", "8:15: policies.gold.rpo: the duration must be longer than nothing"),
        Mistake(
            "{plugin: directory, path: repository}",
            "{plugin: s3, endpoint: \"http://h\", bucket: b, accessKey: {env: A}, secretKey: {env: B}, partSize: 16}",
            "6:118: repositories.local.storage.partSize: the size has no unit (write 16MiB or 16GiB, or 16B for bytes)"),
        Mistake(
            "{plugin: directory, path: repository}",
            "{plugin: s3, endpoint: \"http://h\", bucket: b, accessKey: {env: A}, secretKey: {env: B}, partSize: 16M}",
            "6:118: repositories.local.storage.partSize: expected a size, found the string 16M (did you mean 16MiB?)"),
        Mistake(
            "policies:", "alerts: {repositoryUse: 80}\npolicies:",
            "7:25: alerts.repositoryUse: the percentage has no % (write 80%)"),
        Mistake(
            "policies:", "alerts: {repositoryUse: 180%}\npolicies:",
            "7:25: alerts.repositoryUse: expected a percentage from 0% to 100%, found 180%"),
        Mistake(
            "policies:", "alerts: {repositoryUse: most}\npolicies:",
            "7:25: alerts.repositoryUse: expected a percentage, found the string most (write for example 80%)"),
        Mistake(
            "rpo: 15m", "schedule: {full: \"0 2 * *\"}",
            "8:27: policies.gold.schedule.full: expected five cron fields, found 4 "
                + "(write minute, hour, day, month and weekday: \"0 2 * * *\" is every night at two)"),
        Mistake(
            "rpo: 15m", "schedule: {full: \"0 2 30 feb *\"}",
            "8:27: policies.gold.schedule.full: the cron expression 0 2 30 feb * never comes true "
                + "(no month that it names has such a day)"),
        Mistake(
            "rpo: 15m", "retention: {full: 0}",
            "8:28: policies.gold.retention.full: expected an integer from 1 to 100000, found 0"),
    ]

    static let names = [
        Mistake(
            "cluster: prod\n    policy", "cluster: prd\n    policy",
            "11:14: instances.orders.cluster: there is no cluster prd (did you mean prod?)"),
        Mistake(
            "policy: gold", "policy: platinum",
            "12:13: instances.orders.policy: there is no policy platinum (there is: gold)"),
        Mistake(
            "repositories: [local]", "repositories: [local, offsite]",
            "15:27: instances.orders.repositories[1]: there is no repository offsite (there is: local)"),
        Mistake(
            "uses: [orders]", "uses: [order]",
            "19:12: applications.shop.uses[0]: there is no instance order (did you mean orders?)"),
        Mistake(
            "uses: [orders]", "uses: [orders]\n    after: [shp]",
            "20:13: applications.shop.after[0]: there is no application shp (did you mean shop?)"),
        Mistake(
            "uses: [orders]", "uses: [orders]\n    after: [shop]",
            "20:13: applications.shop.after: applications wait for one another: shop after shop"),
        Mistake(
            "policies:", "restoreSets: {s: {members: [ordres]}}\npolicies:",
            "7:29: restoreSets.s.members[0]: there is no instance ordres (did you mean orders?)"),
        Mistake(
            "policies:",
            "restoreSets: {s: {members: [orders], databases: {order: shop}, fence: {tables: {shop: [t]}}}}\npolicies:",
            "7:50: restoreSets.s.databases: order is no member of this set (did you mean orders?)",
            "7:81: restoreSets.s.fence.tables: shop is no member of this set (there is: orders)"),
        Mistake(
            "policies:",
            "restoreSets: {s: {members: [orders], transactions: \"(\", invariants: [{name: n, check: {member: orders, sql: select 1}}]}}\npolicies:",
            "7:52: restoreSets.s.transactions: this is no regular expression (write one with a group, such as ^tx-([0-9]+)-)"
        ),
        Mistake(
            "policies:",
            "restoreSets: {s: {members: [orders], invariants: [{name: n, equal: [{member: order, sql: select 1}]}]}}\npolicies:",
            "7:68: restoreSets.s.invariants[0].equal: the list names 1 (name at least 2)",
            "7:78: restoreSets.s.invariants[0].equal[0].member: there is no instance order (did you mean orders?)"),
        Mistake(
            "policies:",
            "rollout: {stages: [{environment: prod}, {environment: pord}, {environment: prod}]}\npolicies:",
            "7:55: rollout.stages[1].environment: there is no environment pord (did you mean prod?)",
            "7:76: rollout.stages[2].environment: there is a stage for the environment prod already"),
        Mistake(
            "  gold: {rpo: 15m}", "  gold: {rpo: 15m}\n  Gold_Two: {}",
            "9:3: policies.Gold_Two: Gold_Two is not a name (use lowercase letters, digits and hyphens: gold-two)"),
        Mistake(
            "  gold: {rpo: 15m}", "  gold: {rpo: 15m}\n  \(String(repeating: "a", count: 64)): {}",
            "9:3: policies.\(String(repeating: "a", count: 64)): the name has 64 bytes; 63 are allowed"),
        Mistake(
            "environment: prod", "environment: -",
            "4:23: clusters.prod.environment: - is not a name (use lowercase letters, digits and hyphens)"),
    ]

    @Test func applicationsThatWaitForOneAnother() throws {
        let application = "{cluster: prod, uses: [orders], scaler: {plugin: process, command: [x]}, after: "
        let text = try valid(
            (
                "applications:\n",
                "applications:\n  a: \(application)[b]}\n  b: \(application)[c]}\n  c: \(application)[a]}\n"
            ))
        try expect(
            text,
            [
                "19:87: applications.c.after: applications wait for one another: a after b after c after a"
            ])
    }

    @Test func wholeDocuments() throws {
        try expect("", ["1:1: the file is empty (begin it with apiVersion: fleet/v1 and kind: Fleet)"])
        try expect(
            "- a\n",
            [
                "1:1: expected a mapping, found a list (begin it with apiVersion: fleet/v1 and kind: Fleet)"
            ])
        try expect("a: [1\nb: 2", ["2:2: expected a comma or ] (it began at 1:4)"])
        try expect(header + "---\na: 1", ["3:1: a second document begins (keep one a file)"])
    }

    @Test(arguments: [
        "defaultNamespace: shop\nhelm:\n  chart: x\n", "namespace: x\n",
        "apiVersion: fleet.cattle.io/v1alpha1\nkind: GitRepo\nspec: {}\n",
    ])
    func filesOfRancherFleet(_ text: String) throws {
        try expect(
            text,
            [
                "1:1: this is a file of Rancher Fleet, which is another program "
                    + "(this fleet's file begins with apiVersion: fleet/v1; name it with --config PATH)"
            ])
    }
}
