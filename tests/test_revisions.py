"""Files of a git revision: links, submodules, hostile names and hostile repositories, without a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from hashlib import sha1

import pytest
from repos import bare, commit, git, put, repository

from lbcheck import git as program
from lbcheck.discovery import discover
from lbcheck.files import GitError, UnreadableError
from lbcheck.revisions import Repository

NGINX = "events {}\nhttp { upstream app { server 10.0.0.1:80; } }\n"


@pytest.fixture(autouse=True)
def _apart(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = repository(tmp_path / "project")
    put(folder, {"lb/nginx.conf": NGINX, "lb/conf.d/a.conf": "server {}\n", "notes.txt": "no config\n"})
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def opened():
    """Open the repository around a folder, and close it at the end."""
    made = []

    def repo(folder="."):
        made.append(Repository(folder))
        return made[-1]

    yield repo
    for one in made:
        one.close()


def reason(files, path):
    with pytest.raises(UnreadableError) as caught:
        files.read(path)
    return caught.value.code, caught.value.reason


def test_reads_what_was_committed(project, opened):
    (project / "lb" / "nginx.conf").write_text("changed\n")
    files = opened().files("HEAD")
    assert files.read("lb/nginx.conf").text == NGINX
    assert files.read("lb/nginx.conf") is files.read("./lb/nginx.conf")
    assert reason(files, "lb/none.conf") == ("E02", "no such file")
    assert reason(files, "lb/nginx.conf/x")[0] == "E02"
    assert reason(files, "lb")[0] == "E03"
    assert (files.is_folder("lb"), files.is_folder("lb/nginx.conf"), files.exists("lb/nginx.conf")) == (
        True,
        False,
        True,
    )


def test_paths_are_relative_to_where_one_stands(project, opened, monkeypatch):
    monkeypatch.chdir(project / "lb")
    files = opened().files("HEAD")
    assert files.read("nginx.conf").path == "nginx.conf"
    assert files.read("../notes.txt").text == "no config\n"
    assert files.read(str(project / "notes.txt")).text == "no config\n"
    assert reason(files, "../../secret") == (None, "it lies outside the repository")
    assert reason(files, "/etc/hostname")[0] is None


def test_a_bare_clone(project, opened, tmp_path, monkeypatch):
    monkeypatch.chdir(bare(project, tmp_path / "bare.git"))
    repo = opened()
    assert repo.files("main").read("lb/nginx.conf").text == NGINX
    with pytest.raises(GitError, match="no working tree"):
        repo.working_files(["."])


def test_sha256(tmp_path, opened, monkeypatch):
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    put(folder, {"lb/nginx.conf": NGINX})
    commit(folder)
    monkeypatch.chdir(folder)
    assert opened().files("HEAD").read("lb/nginx.conf").text == NGINX


def test_discovery_walks_a_revision(project, opened):
    (project / "later.conf").write_text(NGINX)
    found, refused = discover(["."], opened().files("HEAD"))
    assert sorted(item.path for item in found) == ["lb/conf.d/a.conf", "lb/nginx.conf"]
    assert refused == []


def test_globs_are_those_of_the_disk(project, opened):
    put(project, {"conf/b.conf": "", "conf/a.conf": "", "other/a.conf": ""})
    (project / "conf" / ".dot.conf").write_text("")
    commit(project)
    files, disk = opened().files("HEAD"), opened().working_files(["."])
    for pattern in ("conf/*.conf", "*/a.conf", "conf/[ab].conf", "conf/.*", "*", "nowhere/*", "conf/./?.conf"):
        assert files.expand(pattern) == disk.expand(pattern), pattern
    assert files.expand(f"{project}/conf/a*") == [f"{project}/conf/a.conf"]
    assert files.expand("/etc/*") == []


def test_a_mapped_root_is_a_folder_of_the_revision(project, opened):
    put(project, {"image/etc/nginx/mime.conf": "types {}\n"})
    commit(project)
    for root in ("image", str(project / "image")):
        files = opened().files("HEAD", root)
        assert files.read(files.mapped("/etc/nginx/mime.conf")).text == "types {}\n"
    assert opened().files("HEAD").mapped("/etc/nginx/mime.conf") is None


def test_links_are_followed_inside_the_revision_only(project, opened):
    os.symlink("../lb/nginx.conf", project / "lb" / "same.conf")
    os.symlink("lb", project / "balancer")
    os.symlink("/etc/hostname", project / "out.conf")
    os.symlink("../../outside", project / "up.conf")
    os.symlink("nowhere", project / "dangling.conf")
    os.symlink("loop.conf", project / "loop.conf")
    commit(project)
    files = opened().files("HEAD")
    assert files.read("lb/same.conf").text == NGINX
    assert files.read("balancer/conf.d/../nginx.conf").text == NGINX
    assert files.real("balancer/same.conf") == files.real("lb/nginx.conf") != files.real("notes.txt")
    assert files.is_folder("balancer")
    assert files.is_link("balancer")
    assert reason(files, "out.conf") == (None, "it is a link to /etc/hostname, outside the repository")
    assert reason(files, "up.conf")[0] is None
    assert reason(files, "dangling.conf")[0] == "E02"
    assert reason(files, "loop.conf") == ("E03", "too many levels of symbolic links")
    found, refused = discover(["."], files)
    assert sorted(item.path for item in found) == ["lb/conf.d/a.conf", "lb/same.conf"]
    assert {item.path for item in refused} == {"out.conf", "up.conf", "loop.conf"}


def test_submodules_and_lfs_pointers_are_not_checked(project, opened, tmp_path):
    other = repository(tmp_path / "other")
    put(other, {"nginx.conf": NGINX})
    commit(other)
    git(project, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    (project / "big.conf").write_text(pointer)
    commit(project)
    files = opened().files("HEAD")
    found, refused = discover(["."], files)
    assert sorted(item.path for item in found) == ["lb/conf.d/a.conf", "lb/nginx.conf"]
    told = {item.path: (item.code, item.reason) for item in refused}
    assert told.keys() == {"sub", "big.conf"}
    assert all(code is None for code, _ in told.values())
    assert "submodule" in told["sub"][1]
    assert "LFS" in told["big.conf"][1]
    working = opened().working_files(["."])
    assert sorted(item.path for item in discover(["."], working)[0]) == ["lb/conf.d/a.conf", "lb/nginx.conf"]
    assert "sub" in working.skipped


def test_the_working_tree_has_untracked_files_and_no_ignored_ones(project, opened, monkeypatch):
    (project / ".gitignore").write_text("build/\n*.gen.conf\n")
    put(project, {"build/nginx.conf": NGINX, "lb/new.conf": NGINX})
    (project / "lb" / "x.gen.conf").write_text(NGINX)
    found, _ = discover(["."], opened().working_files(["."]))
    assert sorted(item.path for item in found) == ["lb/conf.d/a.conf", "lb/new.conf", "lb/nginx.conf"]
    monkeypatch.chdir(project / "lb")
    found, _ = discover(["."], opened().working_files(["."]))
    assert sorted(item.path for item in found) == ["conf.d/a.conf", "new.conf", "nginx.conf"]


HOSTILE = [b"new\nline.conf", b"-dash.conf", b"caf\xe9.conf", b"tab\t.conf", b'quote".conf', b" .conf", b"--x=y.conf"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(project, opened, name):
    path = os.path.join(os.fsencode(project), name)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(NGINX)
    commit(project)
    os.unlink(path)
    files = opened().files("HEAD")
    assert files.read(os.fsdecode(name)).text == NGINX
    assert os.fsdecode(name) in [item.path for item in discover(["."], files)[0]]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["nope", "", "-x", "--help", "HEAD:nope", "HEAD..HEAD", "a\0b", "--output=x", "@{9}"])
def test_what_is_no_revision(opened, name):
    repo = opened()
    assert not repo.is_revision(name)
    with pytest.raises(GitError, match="no such revision"):
        repo.files(name)


def test_no_repository(tmp_path):
    with pytest.raises(GitError, match="not a git repository"):
        Repository(tmp_path)


@pytest.mark.usefixtures("project")
def test_no_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(GitError, match="git is not installed"):
        Repository()


@pytest.mark.usefixtures("project")
def test_a_git_that_hangs_or_dies(opened, tmp_path, monkeypatch):
    files = opened().files("HEAD")
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "git"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(program, "PATIENCE", 0.3)
    with pytest.raises(GitError, match="did not answer"):
        files.read("lb/nginx.conf")
    with pytest.raises(GitError, match="did not answer"):
        Repository()
    fake.write_text("#!/bin/sh\nexit 3\n")
    assert reason(files, "lb/nginx.conf") == (None, program.MISSING)


def test_a_large_blob_is_not_read(project, opened):
    (project / "large.conf").write_bytes(b"# x\n" * 5_000_000)
    commit(project)
    files = opened().files("HEAD")
    assert reason(files, "large.conf") == ("E04", "it has 20,000,000 bytes, more than the limit of 16,777,216")
    assert files.read("lb/nginx.conf").text == NGINX, "git is asked again"


def test_a_tree_of_trees_without_end(project, opened, monkeypatch):
    monkeypatch.setattr("lbcheck.revisions._MAX_NAMES", 5_000)
    name = git(project, "rev-parse", "HEAD:lb")
    for _ in range(12):
        data = b"".join(b"40000 %d\0" % digit + bytes.fromhex(name) for digit in range(10))
        name = loose(project, b"tree", data)
    files = opened().files(name)
    with pytest.raises(GitError, match="more than 5,000 files"):
        list(files.walk("."))


def test_names_that_no_file_system_has_are_left_out(project, opened):
    blob = git(project, "rev-parse", "HEAD:lb/nginx.conf")
    entries = (b"..", b".", b"a/b.conf", b"good.conf")
    data = b"".join(b"100644 " + name + b"\0" + bytes.fromhex(blob) for name in entries)
    assert opened().files(loose(project, b"tree", data)).names(".") == ["good.conf"]


def loose(folder, kind, data):
    """Write an object that git itself would refuse to make."""
    whole = kind + b" %d\0" % len(data) + data
    name = sha1(whole).hexdigest()
    path = folder / ".git" / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole))
    return name


def test_nothing_of_the_repository_is_run_and_nothing_written(project, opened, tmp_path):
    """Every setting that makes git run a program, in a clone that has to fetch the blobs that it is asked for."""
    git(project, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    git(project, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{project}", str(clone))
    touched = tmp_path / "touched"
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.alternateRefsCommand",
        "credential.helper", "diff.external", "diff.x.textconv", "filter.x.smudge", "filter.x.clean", "gpg.program",
        "remote.origin.uploadpack", "core.gitProxy",
    ):  # fmt: skip
        git(clone, "config", key, f"touch {touched}; true")
    git(clone, "config", "protocol.allow", "always")
    git(clone, "config", "protocol.ext.allow", "always")
    for hook in ("post-checkout", "fsmonitor-watchman", "post-index-change", "pre-auto-gc", "reference-transaction"):
        path = clone / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {touched}\n")
        path.chmod(0o755)
    (clone / ".gitattributes").write_text("* filter=x diff=x\n")
    before = listed(clone)
    for url in (f"file://{project}", f"ext::touch {touched}"):
        git(clone, "config", "remote.origin.url", url)
        before = listed(clone)
        repo = opened(clone)
        files = repo.files("origin/main")
        assert reason(files, str(clone / "lb/nginx.conf")) == (None, program.MISSING)
        repo.working_files([str(clone)])
        assert listed(clone) == before
    assert not touched.exists()


def listed(folder):
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_forked_children_read_for_themselves(project):
    """A run that is split over processes must not mix up the answers to several askers."""
    for number in range(40):
        put(project, {f"lb/f{number}.conf": f"# {number}\n" * 500})
    commit(project)
    script = (
        "import os, sys\n"
        "from lbcheck.revisions import Repository\n"
        "files = Repository().files('HEAD')\n"
        "files.read('notes.txt')\n"
        "children = []\n"
        "for _ in range(4):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        right = all(files.read(f'lb/f{n}.conf').text == f'# {n}\\n' * 500 for n in range(40))\n"
        "        os._exit(0 if right else 1)\n"
        "    children.append(child)\n"
        "sys.exit(max(os.waitpid(child, 0)[1] for child in children))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
