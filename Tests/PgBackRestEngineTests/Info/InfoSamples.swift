/// Answers of `pgbackrest info --output=json`.
enum InfoSamples {
    /// Written by 2.45.
    static let full245 = #"""
        [{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000006","min":"000000010000000000000001"}],"backup":[{"annotation":{"fleet-key":"k1"},"archive":{"start":"000000010000000000000002","stop":"000000010000000000000003"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":23213849,"repository":{"delta":3075924,"size":3075924},"size":23213849},"label":"20261126-021555F","lsn":{"start":"0/2000028","stop":"0/3000050"},"prior":null,"reference":null,"timestamp":{"start":1795659355,"stop":1795659362},"type":"full"},{"archive":{"start":"000000010000000000000005","stop":"000000010000000000000006"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":5112074,"repository":{"delta":584982,"size":3494577},"size":26842905},"label":"20261126-021555F_20261126-021604D","lsn":{"start":"0/5000028","stop":"0/6000050"},"prior":"20261126-021555F","reference":["20261126-021555F"],"timestamp":{"start":1795659364,"stop":1795659367},"type":"diff"}],"cipher":"none","db":[{"id":1,"repo-key":1,"system-id":7712298173224543807,"version":"15"}],"name":"main","repo":[{"cipher":"none","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]
        """#

    /// As versions before repositories were told apart write it.
    static let old = #"""
        [{"archive":[{"database":{"id":1},"id":"9.6-1","max":"000000010000000000000003","min":"000000010000000000000002"}],
          "backup":[{"archive":{"start":"000000010000000000000002","stop":"000000010000000000000002"},
            "backrest":{"format":5,"version":"2.04"},"database":{"id":1},
            "info":{"delta":26897030,"repository":{"delta":3159776,"size":3159776},"size":26897030},
            "label":"20181119-152138F","prior":null,"reference":null,
            "timestamp":{"start":1542640898,"stop":1542640911},"type":"full"}],
          "cipher":"none","db":[{"id":1,"system-id":6625592122879095702,"version":"9.6"}],
          "name":"main","status":{"code":0,"message":"ok"}}]
        """#

    /// As versions after 2.56 write it: a bundled full, a block incremental one on it, a backup under way.
    static let new = #"""
        [{"archive":[{"database":{"id":1,"repo-key":1},"id":"17-1","max":"000000010000000000000006","min":"000000010000000000000001"}],
          "backup":[{"annotation":{"source":"demo"},"archive":{"start":"000000010000000000000002","stop":"000000010000000000000003"},
            "backrest":{"format":5,"version":"2.58.0"},"database":{"id":1,"repo-key":1},"error":false,
            "info":{"delta":23213849,"repository":{"delta":3075924,"delta-map":1024,"size-map":1024},"size":23213849},
            "label":"20261126-021555F","lsn":{"start":"0/2000028","stop":"0/3000050"},"prior":null,"reference":null,
            "timestamp":{"start":1795659355,"stop":1795659362},"type":"full","verified":{"at":1}},
           {"archive":{"start":"000000010000000000000005","stop":"000000010000000000000006"},
            "backrest":{"format":5,"version":"2.58.0"},"database":{"id":1,"repo-key":1},"error":false,
            "info":{"delta":5112074,"repository":{"delta":120000,"delta-map":48,"size-map":1100},"size":26842905},
            "label":"20261126-021555F_20261126-021604I","lsn":{"start":"0/5000028","stop":"0/6000050"},
            "prior":"20261126-021555F","reference":["20261126-021555F"],
            "timestamp":{"start":1795659364,"stop":1795659367},"type":"incr"}],
          "cipher":"aes-256-cbc","db":[{"id":1,"repo-key":1,"system-id":7712298173224543807,"version":"17"}],
          "name":"main","repo":[{"cipher":"aes-256-cbc","key":1,"status":{"code":0,"message":"ok"}}],
          "status":{"code":0,"message":"ok",
            "lock":{"backup":{"held":true,"size":1000,"size-cplt":250},"restore":{"held":false}}},"future":true}]
        """#

    /// The second repository cannot be asked now; what the stanza's other host cached of it is listed.
    static let twoRepositories = #"""
        [{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000006","min":"000000010000000000000001"},
                     {"database":{"id":1,"repo-key":2},"id":"15-1","max":null,"min":null}],
          "backup":[{"archive":{"start":"000000010000000000000002","stop":"000000010000000000000003"},
            "database":{"id":1,"repo-key":1},"error":null,"info":{"size":1},"label":"20261126-021555F",
            "lsn":{"start":"0/2000028","stop":"0/3000050"},"prior":null,"reference":null,
            "timestamp":{"start":1795659355,"stop":1795659362},"type":"full"},
           {"archive":{"start":"000000010000000000000002","stop":"000000010000000000000003"},
            "database":{"id":1,"repo-key":2},"label":"20261127-021555F",
            "lsn":{"start":"0/2000028","stop":"0/3000050"},
            "timestamp":{"start":1795659355,"stop":1795659362},"type":"full"}],
          "cipher":"mixed","db":[{"id":1,"repo-key":1,"system-id":7712298173224543807,"version":"15"},
                                 {"id":1,"repo-key":2,"system-id":7712298173224543807,"version":"15"}],
          "name":"main","repo":[{"cipher":"none","key":1,"status":{"code":0,"message":"ok"}},
            {"cipher":"aes-256-cbc","key":2,"status":{"code":99,"message":"[HostConnectError] unable to connect"}}],
          "status":{"code":4,"lock":{"backup":{"held":false}},"message":"different across repos"}}]
        """#

    static let upgraded = #"""
        [{"archive":[{"database":{"id":1,"repo-key":1},"id":"13-1","max":"000000010000000000000003","min":"000000010000000000000001"},
                     {"database":{"id":2,"repo-key":1},"id":"15-2","max":"000000010000000000000008","min":"000000010000000000000006"}],
          "backup":[{"archive":{"start":"000000010000000000000002","stop":"000000010000000000000002"},
            "database":{"id":1,"repo-key":1},"error":false,"info":{"size":1,"delta":1,"repository":{"size":1,"delta":1}},
            "label":"20261101-010000F","lsn":{"start":"0/2000028","stop":"0/2000100"},"prior":null,"reference":null,
            "timestamp":{"start":1793494800,"stop":1793494810},"type":"full"},
           {"archive":{"start":"000000010000000000000007","stop":"000000010000000000000007"},
            "database":{"id":2,"repo-key":1},"error":false,"info":{"size":1,"delta":1,"repository":{"size":1,"delta":1}},
            "label":"20261102-010000F","lsn":{"start":"0/7000028","stop":"0/7000100"},"prior":null,"reference":null,
            "timestamp":{"start":1793581200,"stop":1793581210},"type":"full"}],
          "cipher":"none","db":[{"id":1,"repo-key":1,"system-id":7000000000000000001,"version":"13"},
                                {"id":2,"repo-key":1,"system-id":7000000000000000002,"version":"15"}],
          "name":"main","repo":[{"cipher":"none","key":1,"status":{"code":0,"message":"ok"}}],
          "status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]
        """#
}
