import FleetPluginAPI
import FleetTestSupport
import FoundationEssentials
import PostgresFormats
import Testing

@Suite("Pages of relations")
struct DataPageTests {
    @Test("every page of a real server has the checksum that is computed of it, at its own place only")
    func checksums() async throws {
        try await withPostgres { server in
            try await server.query(
                "create table t as select g, md5(g::text) from generate_series(1, 20000) g; checkpoint")
            let path = try await server.value("select pg_relation_filepath('t')")
            let newest = try #require(LSN(try await server.value("select pg_current_wal_insert_lsn()")))
            let bytes = try fileBytes("\(server.dataDirectory)/\(path)")
            #expect(bytes.count > 100 * DataPage.size)
            for block in 0..<bytes.count / DataPage.size {
                try bytes[block * DataPage.size..<(block + 1) * DataPage.size].withUnsafeBytes { page in
                    let header = DataPage(page)
                    #expect(header.isFamiliar && !header.isNew && header.lsn > .zero && header.lsn <= newest)
                    #expect(DataPage.checksum(of: page, block: UInt32(block)) == header.checksum)
                    #expect(DataPage.checksum(of: page, block: UInt32(block) + 1) != header.checksum)
                    var damaged = Array(page)
                    damaged[5000] ^= 1
                    try #require(
                        damaged.withUnsafeBytes { DataPage.checksum(of: $0, block: UInt32(block)) } != header.checksum)
                }
            }
        }
    }

    @Test(
        "names of files tell relation, fork and segment",
        arguments: [
            ("global/1262", "global/1262", RelationFile.Fork.main, UInt32(0), false),
            ("base/5/16384_fsm", "base/5/16384", .freeSpaceMap, 0, false),
            ("base/5/16384_vm.2", "base/5/16384", .visibilityMap, 2, false),
            ("base/5/16384.17", "base/5/16384", .main, 17, false),
            (
                "pg_tblspc/16400/PG_15_202209061/5/16401_init", "pg_tblspc/16400/PG_15_202209061/5/16401", .initial, 0,
                false
            ),
            ("base/5/t12_16384_fsm.1", "base/5/t12_16384", .freeSpaceMap, 1, true),
        ])
    func names(_ path: String, _ relation: String, _ fork: RelationFile.Fork, _ segment: UInt32, _ temporary: Bool)
        throws
    {
        let file = try #require(RelationFile(path: path))
        #expect(file.relation == relation && file.fork == fork && file.segment == segment)
        #expect(file.isTemporary == temporary)
    }

    @Test(
        "other files are no relations",
        arguments: [
            "global/pg_control", "base/5/PG_VERSION", "base/5/pg_filenode.map", "base/5/16384_xyz", "base/5/16384.0",
            "base/5/16384.1.2", "base/x/16384", "pg_xact/0000", "16384", "base/16384", "base/5/_fsm", "base/5/t_1", "",
            "base/5/16384_main", "base/5/99999999999", "pg_tblspc/16400/16401", "base/5/6/16384", "base/5/",
        ])
    func others(_ path: String) {
        #expect(RelationFile(path: path) == nil)
    }

    @Test("checksums of parts make that of the whole", arguments: [0, 1, 7, 8192, 131_072, 1_000_003])
    func combined(_ count: Int) {
        var random = SplitMix(seed: UInt64(count) + 1)
        let first = (0..<1000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let second = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(
            CRC32C.combine(CRC32C.checksum(first), CRC32C.checksum(second), count: count)
                == CRC32C.checksum(first + second))
    }
}
