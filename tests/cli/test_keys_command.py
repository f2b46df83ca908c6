"""`linewatch keys`, and what `linewatch check` says of a station on tcp."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.cli import main
from linewatch.sim.gate import VirtualGate

WriteStation = Callable[..., Path]


@pytest.fixture
def keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `linewatch keys ARGUMENTS` on the keys of the test's folder."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["keys", *arguments, "--folder", str(tmp_path / "keys")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_from_new_to_revoked(keys: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert keys("list") == (0, "", "")
    assert keys("new", "server")[0] == 0
    code, said, _ = keys("new", "rejecter-1")
    assert (code, said) == (0, f"secret  {folder}/rejecter-1.key\npublic  {folder}/rejecter-1.pub\n")
    assert stat.S_IMODE((folder / "rejecter-1.key").stat().st_mode) == 0o600
    public = (folder / "rejecter-1.pub").read_text().strip()
    assert f"rejecter-1            not allowed  {public}\n" in keys("list")[1]
    assert keys("allow", str(folder / "rejecter-1.pub"))[0] == 0
    assert f"rejecter-1            allowed      {public}\n" in keys("list")[1]
    assert keys("revoke", "rejecter-1")[0] == 0
    assert "not allowed" in keys("list")[1]


def test_mistakes_are_one_line_and_a_code(keys: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    keys("new", "server")
    (tmp_path / "junk.pub").write_text("junk")
    for arguments, code, said in (
        (("new", "server"), 2, "never overwritten"),
        (("new", "a/b"), 2, "name: 'a/b'"),
        (("allow", str(tmp_path / "junk.pub")), 3, "junk.pub: is no key"),
        (("allow", str(tmp_path / "none.pub")), 3, "none.pub: No such file"),
        (("allow", str(tmp_path / "keys" / "server.key")), 2, "must be a public key"),
        (("revoke", "nobody"), 2, "nobody is not allowed anyway"),
    ):
        done, _, errors = keys(*arguments)
        assert (done, len(errors.splitlines())) == (code, 1)
        assert said in errors


def test_check_tells_of_keys(write_station: WriteStation, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "i accept that anyone on this network can read and forge decisions"
    folder = tmp_path / "keys"
    with VirtualGate() as gate:

        def checked(**endpoints: str) -> tuple[int, str]:
            plain = {"observers": "tcp://*:5551", **endpoints}
            station = write_station(gate={"kind": "framed", "port": gate.path}, endpoints=plain)
            code = main(["check", str(station), "--offline"])
            return code, capsys.readouterr().err

        code, said = checked()
        assert code == 3
        assert f"endpoints.observers: 'tcp://*:5551': tcp needs keys, and {folder}/server.key: No such file" in said
        assert f"linewatch keys new server --folder {folder}" in said
        code, said = checked(plaintext=words)
        assert code == 0
        assert said.startswith("warning: ")
        assert "no keys and no encryption" in said
        main(["keys", "new", "server", "--folder", str(folder)])
        code, said = checked()
        assert code == 0
        assert "security.folder: no client is allowed yet" in said
        (folder / "allowed").chmod(0o770)
        code, said = checked()
        assert code == 3
        assert "'0770': others can put keys into this folder" in said
        (folder / "allowed").chmod(0o700)
        main(["keys", "new", "a", "--folder", str(folder)])
        main(["keys", "allow", str(folder / "a.pub"), "--folder", str(folder)])
        assert checked() == (0, "")
