"""`python -m linewatch`: the same as `linewatch`."""

import sys

from linewatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
