"""Start of the frozen workstation."""

import multiprocessing
import sys

if __name__ == "__main__":
    # First of all: a child of the decoder pool is this same program, and must not get further than here.
    multiprocessing.freeze_support()
    multiprocessing.set_start_method("spawn")
    from app.cli import main

    sys.exit(main())
