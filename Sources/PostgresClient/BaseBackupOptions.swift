/// What `BASE_BACKUP` is asked for (PostgreSQL manual, section 55.4). WAL is never included.
public struct BaseBackupOptions: Hashable, Sendable {
    /// At most 1024 bytes; lands in `backup_label`.
    public var label: String
    /// Estimate sizes beforehand. Servers from 15 on report how many bytes they have read in any case.
    public var estimatesSizes: Bool
    /// Checkpoint at once instead of spread over `checkpoint_completion_target`.
    public var fastCheckpoint: Bool
    /// The server waits until the backup's WAL is archived before it finishes.
    public var waitsForArchive: Bool
    /// KiB per second, from 32 to 1048576; nil for no limit.
    public var maxRateKiB: Int?
    /// Nil for no backup manifest.
    public var manifestChecksums: ManifestChecksums?
    /// Send `tablespace_map` and tablespaces as archives of their own rather than links in the base archive.
    public var tablespaceMap: Bool
    /// The server checks page checksums, and fails the backup at its end where some are wrong.
    public var verifyChecksums: Bool
    /// Send only the pages that have changed since the backup whose manifest was uploaded on this connection (17+).
    public var isIncremental = false
    /// How long the server may take until it begins: the checkpoint.
    public var startLimit: Duration
    /// How long the server may send nothing after that.
    public var stallLimit: Duration

    public enum ManifestChecksums: String, Hashable, Sendable, CaseIterable {
        case none = "NONE"
        case crc32c = "CRC32C"
        case sha224 = "SHA224"
        case sha256 = "SHA256"
        case sha384 = "SHA384"
        case sha512 = "SHA512"
    }

    public init(
        label: String, estimatesSizes: Bool = true, fastCheckpoint: Bool = true, waitsForArchive: Bool = false,
        maxRateKiB: Int? = nil, manifestChecksums: ManifestChecksums? = .sha256, tablespaceMap: Bool = true,
        verifyChecksums: Bool = true, startLimit: Duration = .seconds(1800), stallLimit: Duration = .seconds(300)
    ) {
        self.label = label
        self.estimatesSizes = estimatesSizes
        self.fastCheckpoint = fastCheckpoint
        self.waitsForArchive = waitsForArchive
        self.maxRateKiB = maxRateKiB
        self.manifestChecksums = manifestChecksums
        self.tablespaceMap = tablespaceMap
        self.verifyChecksums = verifyChecksums
        self.startLimit = startLimit
        self.stallLimit = stallLimit
    }
}

extension BaseBackupOptions {
    /// The command in the grammar of this `server_version_num`: parenthesised options from 15 on, keywords before.
    func command(serverVersion: Int) -> String {
        serverVersion >= 150_000 ? command : legacyCommand
    }

    private var command: String {
        var options = [
            "LABEL \(SQLText.literal(label))", "PROGRESS \(estimatesSizes)",
            "CHECKPOINT \(fastCheckpoint ? "'fast'" : "'spread'")", "WAL false", "WAIT \(waitsForArchive)",
            "TABLESPACE_MAP \(tablespaceMap)", "VERIFY_CHECKSUMS \(verifyChecksums)",
        ]
        if isIncremental { options.append("INCREMENTAL true") }
        if let maxRateKiB { options.append("MAX_RATE \(maxRateKiB)") }
        if let manifestChecksums {
            options.append("MANIFEST 'yes'")
            options.append("MANIFEST_CHECKSUMS '\(manifestChecksums.rawValue)'")
        } else {
            options.append("MANIFEST 'no'")
        }
        return "BASE_BACKUP (\(options.joined(separator: ", ")))"
    }

    private var legacyCommand: String {
        var words = ["BASE_BACKUP", "LABEL \(SQLText.literal(label))"]
        if estimatesSizes { words.append("PROGRESS") }
        if fastCheckpoint { words.append("FAST") }
        if !waitsForArchive { words.append("NOWAIT") }
        if let maxRateKiB { words.append("MAX_RATE \(maxRateKiB)") }
        if tablespaceMap { words.append("TABLESPACE_MAP") }
        if !verifyChecksums { words.append("NOVERIFY_CHECKSUMS") }
        if let manifestChecksums {
            words.append("MANIFEST 'yes'")
            words.append("MANIFEST_CHECKSUMS '\(manifestChecksums.rawValue)'")
        }
        return words.joined(separator: " ")
    }
}
