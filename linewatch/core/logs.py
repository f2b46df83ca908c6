"""Logging set up once per process: JSON lines under systemd or into a file, readable on a terminal; always stderr."""

import sys

import structlog


def set_up(process: str) -> structlog.stdlib.BoundLogger:
    """The logger of this process; every line carries its name, the wall clock and a level."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(processors=[*shared, last], logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(process=process)
    return log
