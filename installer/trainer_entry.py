"""Start of the frozen trainer."""

import multiprocessing
import sys

if __name__ == "__main__":
    # First of all: a loader process is this same program, and must not get further than here.
    multiprocessing.freeze_support()
    multiprocessing.set_start_method("spawn")
    from trainer.cli import main

    sys.exit(main())
