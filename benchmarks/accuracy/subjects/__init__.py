"""Networks under comparison, each a thin adapter; `build` makes one from random initialisation."""

import torch

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.plan import Precision, Variant
from benchmarks.accuracy.subjects.dfine import DFineSubject
from benchmarks.accuracy.subjects.dsmoe import DsMoeSubject
from benchmarks.accuracy.subjects.probe import ProbeSubject
from benchmarks.accuracy.subjects.subject import Subject
from benchmarks.accuracy.subjects.yolov8 import YoloV8Subject
from benchmarks.accuracy.subjects.yolox import YoloXSubject


def build(variant: Variant, data: Data, seed: int, precision: Precision, device: torch.device) -> Subject:
    """The network of `variant`, its first weights drawn by `seed`. Raises Unavailable, DatasetError."""
    torch.manual_seed(seed)
    bf16 = precision == "bf16"
    subject: Subject
    match variant.family:
        case "dsmoe":
            subject = DsMoeSubject(data, variant.architecture, seed, bf16=bf16)
        case "probe":
            subject = ProbeSubject(data, variant.architecture, bf16=bf16)
        case "yolov8":
            subject = YoloV8Subject(data, variant.architecture, bf16=bf16)
        case "yolox":
            subject = YoloXSubject(data, variant.architecture, bf16=bf16)
        case "dfine":
            subject = DFineSubject(data, variant.architecture)
    subject.network.to(device).to(memory_format=torch.channels_last)
    return subject
