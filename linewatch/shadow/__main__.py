"""`python -m linewatch.shadow STATION.yaml`: the shadow process, the controller's child."""

import sys

from linewatch.shadow.isolation import step_back


def main() -> int:
    step_back()  # before anything starts a thread: each keeps the priority that it was born with
    from linewatch.core.child import run
    from linewatch.shadow.process import serve

    return run(serve)


if __name__ == "__main__":
    sys.exit(main())
