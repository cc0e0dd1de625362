#!/usr/bin/env python3
"""rootfs.py OUT.tar PACKAGE...: an image layer of Debian packages installed on this machine and of what they depend on.

Files are taken as dpkg lists them, without network and without chroot: the layer has the versions that the host has.
Prints the packages taken.
"""
import io
import os
import re
import subprocess
import sys
import tarfile

# Dependencies of maintainer scripts and of things that no container here runs.
SKIPPED = re.compile(
    r"(perl.*|libperl.*|libllvm.*|libz3-.*|libgcc-.*-dev|debconf|cdebconf|adduser|ssl-cert|ucf|postgresql-common.*"
    r"|postgresql-client-common|install-info|login.*|passwd|dpkg|init-system-helpers|sysvinit-utils|locales.*|systemd"
    r"|lib(json|ipc-run|dbd-pg)-perl|tzdata-legacy|lsb-base)"
)
DROPPED = re.compile(
    r"^/usr/share/(doc|man|locale|info|lintian|bug|bash-completion|postgresql/\d+/man|perl5?)/"
    r"|/bitcode/|/llvmjit|\.a$|/systemd/|/gconv/|/init\.d/"
)
# State of this machine's own servers.
PRIVATE = ("/var/lib/pg", "/var/lib/postgresql", "/var/log/", "/var/spool/", "/run/")
POSTGRES = 999
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n"
    f"postgres:x:{POSTGRES}:{POSTGRES}::/var/lib/postgresql:/bin/bash\n"
    "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n",
    "etc/group": f"root:x:0:\npostgres:x:{POSTGRES}:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
POSTGRES_DIRECTORIES = (
    "run/postgresql", "var/lib/postgresql", "var/lib/pgbackrest", "var/log/pgbackrest", "var/spool/pgbackrest",
    "tmp/pgbackrest",
)


def output_of(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def installed():
    """Installed packages as {name: dependencies}, and what provides each virtual one."""
    packages, providers = {}, {}
    fields = "${Package}\t${db:Status-Abbrev}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
    for line in output_of("dpkg-query", "-W", "-f", fields).splitlines():
        name, status, provides, depends = line.split("\t")
        if status.startswith("ii"):
            packages[name] = depends
            for virtual in re.findall(r"[a-z0-9][a-z0-9+.-]+", re.sub(r"\([^)]*\)", "", provides)):
                providers[virtual] = name
    return packages, providers


def closure(names):
    packages, providers = installed()
    left, done = ["dash", "base-files", *names], set()
    while left:
        name = left.pop()
        name = name if name in packages else providers.get(name, name)
        if name in done or SKIPPED.fullmatch(name):
            continue
        if name not in packages:
            sys.exit(f"rootfs.py: package {name} is not installed")
        done.add(name)
        for clause in packages[name].split(","):
            choices = [re.match(r"\s*([a-z0-9][a-z0-9+.-]*)", choice) for choice in clause.split("|")]
            here = [c.group(1) for c in choices if c and (c.group(1) in packages or c.group(1) in providers)]
            left += here[:1]
    return sorted(done)


def paths_of(packages):
    """Paths of the packages' files where they really lie: /bin/sh is /usr/bin/sh."""
    paths = set()
    for path in output_of("dpkg", "-L", *packages).splitlines():
        is_directory = os.path.isdir(path) and not os.path.islink(path)
        if path.startswith("/") and path != "/." and not DROPPED.search(path + "/" * is_directory):
            directory, name = os.path.split(path)
            paths.add(os.path.join(os.path.realpath(directory), name))
    # /usr/bin/awk -> /etc/alternatives/awk -> /usr/bin/mawk
    for name in os.listdir("/etc/alternatives"):
        link = "/etc/alternatives/" + name
        if os.path.realpath(link) in paths:
            paths.add(link)
            paths.update(d + name for d in ("/usr/bin/", "/usr/sbin/") if os.path.islink(d + name))
    return sorted(path for path in paths if os.path.lexists(path) and not path.startswith(PRIVATE))


class Layer:
    def __init__(self, archive):
        self.archive, self.written = archive, set()

    def add(self, path, kind=tarfile.REGTYPE, mode=0o644, owner=0, data=b"", link=""):
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.uid, entry.gid, entry.size = kind, mode, owner, owner, len(data)
        entry.linkname = link
        self.archive.addfile(entry, io.BytesIO(data))
        self.written.add("/" + path)

    def copy(self, path):
        """Takes a path of this machine, and its parents before it."""
        parents = [path[: match.start()] for match in re.finditer("/", path)][1:]
        for each in [*parents, path]:
            if each not in self.written:
                self.written.add(each)
                self.archive.add(each, each[1:], recursive=False, filter=self.anonymous)

    @staticmethod
    def anonymous(entry):
        entry.uname = entry.gname = ""
        entry.mtime = int(entry.mtime)
        return entry


def main():
    packages = closure(sys.argv[2:])
    with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as archive:
        layer = Layer(archive)
        for name in ("bin", "sbin", "lib", "lib64"):
            layer.add(name, tarfile.SYMTYPE, 0o777, link="usr/" + name)
        for name in ("dev", "proc", "sys", "run", "etc", "var", "var/lib", "var/log", "var/spool", "root", "home"):
            layer.add(name, tarfile.DIRTYPE, 0o755)
        layer.add("tmp", tarfile.DIRTYPE, 0o1777)
        for name in POSTGRES_DIRECTORIES:
            layer.add(name, tarfile.DIRTYPE, 0o755, POSTGRES)
        for path, text in FILES.items():
            layer.add(path, data=text.encode())
        for path in paths_of(packages):
            layer.copy(path)
    print("\n".join(packages))


main()
