"""Packages, unpacked into folders of the build tree and never installed: Debian's MTAs exclude one another."""
import fcntl
import glob
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(ROOT, "build", "peers")
APT = ["apt-get", "install", "--download-only", "--no-install-recommends", "-y", "-o", "Debug::NoLocking=1",
       "-o", "APT::Sandbox::User=root"]


class PackageError(Exception):
    """The packages of a peer could not be had."""


def download(folder, packages):
    os.makedirs(os.path.join(folder, "partial"), exist_ok=True)
    command = APT + ["-o", f"Dir::Cache::archives={folder}"] + packages
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise PackageError(f"apt-get cannot fetch {' '.join(packages)}:\n{result.stderr}")
    for package in packages:
        if not glob.glob(os.path.join(folder, f"{package}_*.deb")):
            raise PackageError(f"apt-get brought no {package}: it is installed on this system already")


def merged_usr(tree):
    """The links that make /bin, /lib and /sbin parts of /usr, so that packages unpack to the right place."""
    for name in ("bin", "sbin", "lib", "lib64"):
        os.makedirs(os.path.join(tree, "usr", name), exist_ok=True)
        os.symlink(f"usr/{name}", os.path.join(tree, name))


def made_once(name, make):
    """The folder `name` of the cache, filled by make(folder) at the first call, by one process only."""
    os.makedirs(CACHE, exist_ok=True)
    tree = os.path.join(CACHE, name)
    with open(os.path.join(CACHE, f"{name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(tree):
            if os.environ.get("PEERS_OFFLINE"):
                raise PackageError(f"{name} was not fetched before, and PEERS_OFFLINE is set")
            fresh = tree + ".new"
            shutil.rmtree(fresh, ignore_errors=True)
            os.makedirs(fresh)
            make(fresh)
            os.chmod(fresh, 0o755)
            os.rename(fresh, tree)
    return tree


def tree_of(name, packages, unpacked):
    """The folder with the Debian packages and what they need and the system lacks; unpacked(folder) ends the work."""
    def make(fresh):
        archives = os.path.join(CACHE, "archives", name)
        download(archives, packages)
        merged_usr(fresh)
        for archive in sorted(glob.glob(os.path.join(archives, "*.deb"))):
            subprocess.run(["dpkg-deb", "-x", archive, fresh], check=True)
        unpacked(fresh)

    return made_once(name, make)


def npm_tree_of(name, source):
    """The folder with the npm packages that source/package-lock.json names."""
    def make(fresh):
        for file in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(source, file), fresh)
        result = subprocess.run(["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"],
                                cwd=fresh, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise PackageError(f"npm ci failed for {name}:\n{result.stderr[-2000:]}")

    return made_once(name, make)
