"""Examples at the end of each command's `--help`; a test parses them all."""

import re

import typer
import typer.main
from typer.models import CommandInfo

TOP = """`linewatch COMMAND --help` explains each option and gives examples. Exit codes: 0 done, 1 a check or comparison
failed, 2 wrong arguments, 3 wrong configuration, 4 device, 5 storage, 6 a challenge failed, 130 Ctrl-C; 70 is a fault
of linewatch itself: LINEWATCH_DEBUG=1 shows where."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": (
        "linewatch demo",
        "linewatch demo --seconds 300 --dashboard",
        "linewatch demo --pace 120 --defect-rate 0.5 --seed 3 --summary demo.json",
    ),
    "replay": (
        "linewatch replay recordings/monday --station stations/mine.yaml",
        "linewatch replay frames --station stations/pcb.yaml --truth truth.json",
        "linewatch replay frames --station stations/a.yaml --compare stations/b.yaml",
        "linewatch replay archive --station stations/pcb.yaml --ray 192.168.1.20:6379",
    ),
    "init": (
        "linewatch init stations/mine.yaml",
        "linewatch init stations/mine.yaml --gate edge --port /dev/ttyUSB0 \\",
        "    --camera opencv --source /dev/video0 --size 1280x1024 \\",
        "    --model models/bottle-bottom --deadline-ms 300 \\",
        "    --transport-ms 600 --reaction-ms 20",
    ),
    "check": (
        "linewatch check stations/mine.yaml",
        "linewatch check stations/mine.yaml --offline",
    ),
    "run": ("linewatch run stations/mine.yaml",),
    "record": ("linewatch record stations/mine.yaml --output recordings/monday --limit 500",),
    "actuator": (
        "linewatch actuator --station mine --modbus 192.168.0.10:502 --confirm-ms 500 \\",
        "    --endpoint ipc:///run/linewatch/mine/actuators.sock",
        "linewatch actuator --station mine --relay /dev/ttyUSB1 --line-key server.pub \\",
        "    --key rejecter-1.key --endpoint tcp://127.0.0.1:5552",
        "linewatch actuator --station mine --relay /dev/ttyUSB1 --relay-line rts \\",
        "    --endpoint ipc:///run/linewatch/mine/actuators.sock",
    ),
    "dashboard": (
        "linewatch dashboard stations/mine.yaml",
        "linewatch dashboard stations/mine.yaml --port 8080",
    ),
    "fleet": (
        "linewatch fleet hall.yaml",
        "linewatch fleet http://192.168.1.11:8765/ http://192.168.1.12:8765/ --json",
    ),
    "report": (
        "linewatch report --station stations/mine.yaml --shift last",
        "linewatch report --station stations/mine.yaml --shift 2026-11-20/early --no-pdf",
        "linewatch report runs --from 2026-11-20T06:00 --to 2026-11-20T10:30 \\",
        "    --time-zone Europe/Berlin",
    ),
    "challenge": (
        "linewatch challenge stations/mine.yaml --set challenge.yaml --operator 'A. Meyer'",
        "linewatch challenge stations/mine.yaml --set challenge.yaml --feed known-bad \\",
        "    --operator ci --output reports/nightly.json",
        "linewatch challenge --verify reports/nightly.json --signer challenge.pub",
    ),
    "audit verify": (
        "linewatch audit verify runs/20261123T060000-abc123",
        "linewatch audit verify runs/20261123T060000-abc123 --tip $TIP    # kept elsewhere",
        "linewatch audit verify runs/20261123T060000-abc123 --key keys/audit.key",
    ),
    "audit export": (
        "linewatch audit export runs/20261123T060000-abc123 --output decisions.jsonl",
        "linewatch audit export runs/20261123T060000-abc123 --output decisions.csv",
    ),
    "calibrate target": (
        "linewatch calibrate target --output target.pdf",
        "linewatch calibrate target --output small.png --columns 9 --rows 6 --square-mm 8",
    ),
    "calibrate take": (
        "linewatch calibrate take stations/mine.yaml --output pictures",
        "linewatch calibrate take stations/mine.yaml --output flat --plain --every 1",
    ),
    "calibrate camera": (
        "linewatch calibrate camera stations/mine.yaml --pictures pictures --plane plane/001.png",
        "linewatch calibrate camera stations/mine.yaml --pictures pictures --flat flat --dark dark",
        "linewatch calibrate camera stations/mine.yaml --plane plane.png   # scale alone",
    ),
    "calibrate timing": (
        "linewatch calibrate timing stations/mine.yaml --delays 20:80:4 --rejecter-mm 1250",
        "linewatch calibrate timing stations/mine.yaml --rejecter-log rejecter.jsonl --sensor-mm 80",
    ),
    "labels export": (
        "linewatch labels export runs/20261123T061500-1a2b3c --output relabel/monday",
        "linewatch labels export runs/20261123T061500-1a2b3c --format yolo \\",
        "    --what near --threshold 0.5 --output relabel/near",
    ),
    "labels import": (
        "linewatch labels import relabel/monday/annotations.json --output data/monday",
        "linewatch labels import download --export relabel/monday --output data/monday",
    ),
    "shadow report": ("linewatch shadow report runs/20261123T061500-1a2b3c",),
    "faults": (
        "linewatch faults --quick",
        'linewatch faults --only "camera killed" --only "gate noisy"',
        "linewatch faults --station stations/mine.yaml --detector trained --patience 3",
    ),
    "train": (
        "linewatch train models/deeppcb/train.yaml",
        "linewatch train train.yaml --output scratch/caps --device cuda",
        "linewatch train models/deeppcb/train.yaml --split scratch/split     # test.txt is what replay --only takes",
    ),
    "evaluate": (
        "linewatch evaluate --model models/deeppcb --annotations boards.json \\",
        "    --images boards --output result.json",
    ),
    "tune": (
        "linewatch tune --model models/bottle-bottom --annotations monday.json \\",
        "    --images recordings/monday/frames --max-escapes 0.01 --output runs/tune",
        "linewatch tune --model models/deeppcb --annotations monday.json --max-false-rejects 0.02 --output runs/tune",
    ),
    "export": ("linewatch export models/deeppcb --output deeppcb.onnx --images boards",),
    "render": ("linewatch render --count 400 --seed 2002 --output scratch/bottles",),
    "install": (
        "linewatch install --prefix staged           # to look at it",
        "linewatch install --prefix / --user glass   # as root",
    ),
    "man": (
        "linewatch man --output share/man/man1",
        "man share/man/man1/linewatch.1",
    ),
    "keys new": (
        "linewatch keys new server",
        "linewatch keys new rejecter-1 --folder .    # on the client's machine",
    ),
    "keys signing": (
        "linewatch keys signing",
        "linewatch keys signing night --folder signing",
    ),
    "keys allow": ("linewatch keys allow rejecter-1.pub",),
    "keys list": ("linewatch keys list",),
    "keys revoke": ("linewatch keys revoke rejecter-1",),
    "models list": ("linewatch models list",),
    "models verify": (
        "linewatch models verify",
        "linewatch models verify bottle-bottom --models /opt/linewatch/models",
    ),
    "models fetch": (
        "linewatch models fetch mobile-sam",
        "linewatch models fetch mobile-sam --from mobile_sam.pt",
    ),
    "prompts write": (
        "linewatch prompts write models/caps --endpoint http://localhost:11434/v1 \\",
        "    --language-model llama3 --product 'bottle caps from above, grey' \\",
        "    --class chip --class scratch",
    ),
    "prompts embed": ("linewatch prompts embed models/caps",),
}


def describe(app: typer.Typer, before: str = "") -> None:
    """Give the commands of `app` and its groups their examples, and a line for the list that is not cut short."""
    for command in app.registered_commands:
        lines = EXAMPLES.get(f"{before}{_name(command)}", ())
        if lines:
            command.epilog = "\b\n" + "\n".join(["Examples:" if len(lines) > 1 else "Example:", *lines])
        command.short_help = first_sentence(command.callback.__doc__ or "" if command.callback else "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            group.short_help = first_sentence(str(group.typer_instance.info.help))
            describe(group.typer_instance, f"{before}{group.name} ")


def first_sentence(text: str) -> str:
    """Of a help text, without its full stop, on one line."""
    return re.split(r"\.\s|\.$", " ".join(text.split()), maxsplit=1)[0]


def _name(command: CommandInfo) -> str:
    return command.name or typer.main.get_command_name(getattr(command.callback, "__name__", ""))
