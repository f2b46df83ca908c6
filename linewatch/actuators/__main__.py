"""`python -m linewatch.actuators --endpoint E --station NAME`: a rejecter as a process."""

import sys

from linewatch.actuators.command import main

if __name__ == "__main__":
    sys.exit(main())
