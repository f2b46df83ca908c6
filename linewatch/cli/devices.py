"""What a command needs of the machine, asked before the work and not after it."""

from linewatch.core.errors import DeviceError


def require_device(device: str) -> None:
    """Raises DeviceError when `device` is cuda and this machine has none."""
    if device != "cuda":
        return
    import torch

    if not torch.cuda.is_available():
        raise DeviceError("--device", "there is no CUDA device on this machine", device)
