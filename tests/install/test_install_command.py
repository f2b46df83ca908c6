"""What `linewatch install` lays out, and what systemd thinks of it."""

import configparser
import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from linewatch.cli import main
from linewatch.core.errors import ConfigError, UsageError
from linewatch.install.install import install, program
from linewatch.install.layout import PAGE_UNIT, SHIPPED, UNIT, layout

ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_AT_MOST = 2.0
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def files(prefix: Path) -> dict[str, tuple[int, str]]:
    return {
        path.relative_to(prefix).as_posix(): (path.stat().st_mtime_ns, path.read_text())
        for path in prefix.rglob("*")
        if path.is_file()
    }


def unit(prefix: Path, place: str = UNIT) -> dict[str, list[str]]:
    """The settings of a unit, each with its values in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", (prefix / place).read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    command = [ANALYZE, "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})


def test_a_second_time_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--prefix", str(tmp_path)]) == 0
    before, said = files(tmp_path), capsys.readouterr().out
    assert {path for path in before if path.startswith("etc/")} == {
        UNIT, PAGE_UNIT, "etc/sysusers.d/linewatch.conf", "etc/tmpfiles.d/linewatch.conf",
        "etc/udev/rules.d/70-linewatch.rules",
    }  # fmt: skip
    share = {path for path in before if path.startswith("usr/local/share/")}
    assert set(before) - share == {path for path in before if path.startswith("etc/")}
    assert {path for path in share if "/man/" not in path} == {
        "usr/local/share/bash-completion/completions/linewatch",
        "usr/local/share/zsh/site-functions/_linewatch",
        "usr/local/share/fish/vendor_completions.d/linewatch.fish",
    }
    assert {"usr/local/share/man/man1/linewatch.1", "usr/local/share/man/man1/linewatch-keys-new.1"} <= share
    assert said.count("written") == len(before) and "systemctl enable --now linewatch@NAME" in said
    assert (f"ln -sf {program()[0]} /usr/local/bin/linewatch" in said) == (len(program()) == 1)
    assert f"cp -r {tmp_path}/etc {tmp_path}/usr /" in said
    assert main(["install", "--prefix", str(tmp_path)]) == 0
    assert files(tmp_path) == before
    assert capsys.readouterr().out.count("unchanged") == len(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {0o644}


def test_what_was_changed_by_hand_is_replaced_and_said(tmp_path: Path) -> None:
    install(tmp_path, "linewatch")
    (tmp_path / UNIT).write_text("[Unit]\n")
    assert [placed.state for placed in install(tmp_path, "linewatch")] == ["replaced", *["unchanged"] * 4]


def test_the_unit_starts_this_installation_as_the_chosen_user(tmp_path: Path) -> None:
    install(tmp_path, "glass")
    found = unit(tmp_path)
    words = shlex.split(found["ExecStart"][0])
    assert words[:-2] == list(program())
    assert words[-2:] == ["run", "%S/linewatch/stations/%i.yaml"]
    done = subprocess.run([*words[:-2], "run", "--help"], capture_output=True, text=True, check=False)
    assert "STATION" in done.stdout
    assert found["User"] == ["glass"]
    texts = files(tmp_path)
    assert "\nu glass - " in texts["etc/sysusers.d/linewatch.conf"][1]
    assert "\nm glass dialout\nm glass video\n" in texts["etc/sysusers.d/linewatch.conf"][1]
    owners = re.findall(r"^d \S+ 0750 (\S+) (\S+)$", texts["etc/tmpfiles.d/linewatch.conf"][1], re.MULTILINE)
    assert owners == [("glass", "glass")] * 4


def test_a_program_in_a_home_stays_visible_and_odd_paths_are_quoted() -> None:
    text = layout(("/home/a b/100%/linewatch",), "linewatch")[0].text
    assert "ProtectHome=read-only\n" in text
    assert 'ExecStart="/home/a b/100%%/linewatch" run ' in text
    assert "ProtectHome=yes\n" in layout(("/opt/x/linewatch",), "linewatch")[0].text


def test_an_environment_whose_interpreter_lies_in_a_home_finds_it(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to("/home/line/python/bin/python3.11")
    text = layout((str(tmp_path / "linewatch"),), "linewatch")[0].text
    assert "ProtectHome=read-only\n" in text


@pytest.mark.parametrize("user", ["", "Root", "a b", "../x", "u\nExecStartPre=/bin/sh", "x" * 32])
def test_a_user_that_is_no_name_is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(UsageError, match="--user"):
        install(tmp_path, user)
    assert not files(tmp_path)


def test_the_unit_never_leaves_a_line_down_for_good(tmp_path: Path) -> None:
    install(tmp_path, "linewatch")
    found = unit(tmp_path)
    assert (found["Type"], found["Restart"], found["StartLimitIntervalSec"]) == (["notify"], ["always"], ["0"])
    assert found["RestartPreventExitStatus"] == [f"{UsageError.exit_code} {ConfigError.exit_code}"]
    assert float(found["WatchdogSec"][0]) >= 1  # heartbeats, which feed it, come every 50 ms
    assert found["RuntimeDirectoryPreserve"] == ["restart"]  # else the gap's exact seq would be lost
    assert found["OOMPolicy"] == ["continue"]
    assert found["SupplementaryGroups"] == ["dialout video"]


def test_the_page_has_a_unit_of_its_own_that_finds_the_line_and_gives_way_to_it(tmp_path: Path) -> None:
    install(tmp_path, "glass")
    page, line = unit(tmp_path, PAGE_UNIT), unit(tmp_path)
    assert shlex.split(page["ExecStart"][0]) == [*program(), "dashboard", "%S/linewatch/stations/%i.yaml"]
    assert page["User"] == line["User"] == ["glass"]
    assert page["Environment"] == [f"RUNTIME_DIRECTORY=/run/{line['RuntimeDirectory'][0]}"]
    assert float(page["Nice"][0]) > float(line["Nice"][0])
    assert not {"Requires", "BindsTo", "PartOf"} & set(page) | {"Wants", "Requires"} & set(line)


def test_the_udev_rules_name_devices_and_quicken_ftdi() -> None:
    text = (SHIPPED / "linewatch.rules").read_text()
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    for rule in rules:
        for term in rule.split(", "):
            assert re.fullmatch(r'[A-Z]+(\{\w+\})?(==|\+=|=|!=)"[^"]*"', term), term
    assert any('DRIVER=="ftdi_sio"' in rule and 'ATTR{latency_timer}="1"' in rule for rule in rules)
    assert sum('SYMLINK+="linewatch/' in rule for rule in rules) == 2


def test_the_unit_is_an_ini_file_without_stray_lines() -> None:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.read(SHIPPED / "linewatch@.service")
    assert parser.sections() == ["Unit", "Service", "Install"]


@needs_systemd
@pytest.mark.parametrize("place", [UNIT, PAGE_UNIT])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, place: str) -> None:
    install(tmp_path, "root")  # a user that is there
    instance = tmp_path / Path(place).name.replace("@", "@bottle")
    instance.write_text((tmp_path / place).read_text())
    done = analyze("verify", "--man=no", instance)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "linewatch" in line]
    assert (done.returncode, said) == (0, [])
    instance.write_text(instance.read_text().replace("RestartSec=", "RestartSecs="))
    assert "RestartSecs" in analyze("verify", "--man=no", instance).stderr  # the tool would have told


@needs_systemd
@pytest.mark.parametrize("place", [UNIT, PAGE_UNIT])
def test_the_exposure_is_low(tmp_path: Path, place: str) -> None:
    install(tmp_path, "linewatch")
    done = analyze("security", "--offline=yes", tmp_path / place)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stdout + done.stderr
    assert float(exposure[1]) <= EXPOSURE_AT_MOST


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_systemd_makes_the_user_and_its_folders(tmp_path: Path) -> None:
    install(tmp_path, "glass")
    (tmp_path / "etc" / "group").write_text("dialout:x:20:\nvideo:x:44:\n")
    done = subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], capture_output=True, text=True, check=False)
    if os.geteuid() != 0 and done.returncode:
        pytest.skip("only root may make users, even below another root")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^glass:.*:/var/lib/linewatch:", (tmp_path / "etc" / "passwd").read_text(), re.MULTILINE)
    groups = (tmp_path / "etc" / "group").read_text()
    assert re.search(r"^dialout:.*\bglass$", groups, re.MULTILINE) and re.search(r"^video:.*\bglass$", groups, re.M)
