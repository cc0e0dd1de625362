#!/usr/bin/env python3
"""archive.py OUT.tar NAME:TAG (--root DIR | --layer LAYER.tar) [...]: an image of one layer, without a daemon.

The archive is both an OCI layout and what `docker load`, `podman load` and `ctr images import` read. The same files give
the same bytes: no times, owners or orders of the file system get into it. Prints NAME:TAG and the manifest's digest.
"""
import argparse
import hashlib
import io
import json
import os
import platform
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("name")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", help="directory whose files, all owned by root, are the layer")
    source.add_argument("--layer", help="a finished layer")
    parser.add_argument("--entrypoint", action="append")
    parser.add_argument("--command", action="append")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--user", default="")
    parser.add_argument("--label", action="append", default=[])
    return parser.parse_args()


def pack(root, path):
    """Writes the files below root as a layer, in the order of their names."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for directory, names, files in os.walk(root):
            names.sort()
            for name in sorted(files + names):
                full = os.path.join(directory, name)
                entry = archive.gettarinfo(full, os.path.relpath(full, root))
                entry.uid = entry.gid = entry.mtime = 0
                entry.uname = entry.gname = ""
                if entry.isreg():
                    with open(full, "rb") as file:
                        archive.addfile(entry, file)
                else:
                    archive.addfile(entry)


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def configuration(arguments, layer):
    config = {
        "Env": arguments.env or ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "Entrypoint": arguments.entrypoint,
        "Cmd": arguments.command,
        "User": arguments.user,
        "Labels": dict(label.split("=", 1) for label in arguments.label),
    }
    epoch = "1970-01-01T00:00:00Z"
    return {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": epoch,
        "config": {key: value for key, value in config.items() if value},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer]},
        "history": [{"created": epoch, "created_by": "archive.py"}],
    }


class Archive:
    def __init__(self, tar):
        self.tar = tar
        for path in ("blobs", "blobs/sha256"):
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)

    def add(self, path, data):
        entry = tarfile.TarInfo(path)
        entry.size = len(data)
        self.tar.addfile(entry, io.BytesIO(data))

    def add_file(self, path, file):
        entry = tarfile.TarInfo(path)
        entry.size = os.stat(file).st_size
        with open(file, "rb") as source:
            self.tar.addfile(entry, source)

    def add_json(self, value, kind):
        """Adds a blob and returns its descriptor."""
        data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.add("blobs/sha256/" + digest, data)
        return {"mediaType": f"application/vnd.oci.image.{kind}+json", "digest": "sha256:" + digest, "size": len(data)}


def main():
    arguments = parse()
    layer = arguments.layer or arguments.out + ".layer"
    if arguments.root:
        pack(arguments.root, layer)
    digest = sha256_of(layer)
    with tarfile.open(arguments.out, "w", format=tarfile.PAX_FORMAT) as tar:
        archive = Archive(tar)
        archive.add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        archive.add_file("blobs/sha256/" + digest, layer)
        config = archive.add_json(configuration(arguments, digest), "config.v1")
        manifest = archive.add_json({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": "sha256:" + digest,
                "size": os.stat(layer).st_size,
            }],
        }, "manifest.v1")
        names = {
            "io.containerd.image.name": arguments.name,
            "org.opencontainers.image.ref.name": arguments.name.rsplit(":", 1)[-1],
        }
        index = {"schemaVersion": 2, "manifests": [manifest | {"annotations": names}]}
        archive.add("index.json", json.dumps(index).encode())
        path_of = "blobs/sha256/{}".format
        archive.add("manifest.json", json.dumps([{
            "Config": path_of(config["digest"].split(":")[1]),
            "RepoTags": [arguments.name],
            "Layers": [path_of(digest)],
        }]).encode())
    if arguments.root:
        os.remove(layer)
    print(arguments.name, manifest["digest"])


main()
