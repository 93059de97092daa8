"""`python -m entroscope` is the command `entroscope`."""

import sys

from entroscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
