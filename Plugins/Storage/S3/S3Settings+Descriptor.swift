import FleetPluginAPI

extension S3Settings {
    static let optionSpecs: [OptionSpec] = [
        OptionSpec("bucket", .string, required: true, help: "The bucket. It must exist; fleet never makes one."),
        OptionSpec(
            "endpoint", .url,
            help: "The server, https://HOST or https://HOST:PORT. Without it: AWS, at the endpoint of the region."),
        OptionSpec(
            "prefix", .string, help: "Keeps the repository below this path in the bucket. Without it: at its top."),
        OptionSpec(
            "region", .string, default: "us-east-1",
            help: "The bucket's region. When the server names another one, fleet says so or, on AWS, goes there."),
        OptionSpec(
            "addressing", .choice(["path", "virtual-host"]),
            help: """
                Whether the bucket stands in the path or in the host's name. Without it: virtual-host on AWS, path \
                where there is an endpoint or the bucket's name has a point in it.
                """),
        OptionSpec("accessKey", .secret, required: true, help: "The access key's id."),
        OptionSpec("secretKey", .secret, required: true, help: "The secret access key."),
        OptionSpec(
            "sessionToken", .secret,
            help: """
                The session token of temporary credentials. All three are read again every 30 seconds and when the \
                server refuses them, so that files may be replaced while fleet runs.
                """),
        OptionSpec(
            "caFile", .path, help: "Certificate authorities (PEM) to trust. Without it: the system's."),
        OptionSpec(
            "partSize", .size, default: "64MiB",
            help: """
                Objects larger than this are uploaded in parts of this size, 5MiB to 5GiB; those that must not exist \
                yet in one piece.
                """),
        OptionSpec(
            "parallelParts", .integer(minimum: 1, maximum: 16), default: 4,
            help: "How many parts of an object are sent at once. Each takes partSize of memory."),
        OptionSpec(
            "conditionalCreate", .choice(["native", "emulated"]), default: "native",
            help: """
                What happens on a server that does not honour If-None-Match: native refuses to write, emulated looks \
                first and then writes, which two writers at the same moment can both do.
                """),
        OptionSpec(
            "checksum", .choice(["sha256", "md5", "none"]), default: "sha256",
            help: "What an upload carries for the server to check and keep: x-amz-checksum-sha256 or Content-MD5."),
        OptionSpec(
            "signPayload", .boolean, default: true,
            help: "Whether signatures cover the bytes that are sent. Without it they rely on https and checksum."),
        OptionSpec(
            "encryption", .choice(["none", "AES256", "aws:kms"]), default: "none",
            help: "What the server is asked to encrypt objects with. none leaves it to the bucket's own setting."),
        OptionSpec("kmsKey", .string, help: "The key's id for encryption: aws:kms. Without it: the account's own."),
        OptionSpec("storageClass", .string, help: "The storage class of new objects. Without it: the bucket's."),
        OptionSpec(
            "objectLock", .choice(["none", "governance", "compliance"]), default: "none",
            help: "Locks every version of an object that is written, for retainDays. The bucket must have Object Lock."),
        OptionSpec("retainDays", .integer(minimum: 1, maximum: 36_500), help: "How long objectLock holds, in days."),
        OptionSpec(
            "timeout", .duration, default: "30s",
            help: "A request is given up and tried again when nothing has moved for so long."),
    ]
}
