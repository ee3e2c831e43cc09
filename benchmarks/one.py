"""``python -m benchmarks.one NAME MODULE FOLDER``: one measurement, written to ``FOLDER/NAME.json``."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.result import BenchmarkError


def main() -> int:
    """Run one benchmark in this process."""
    name, module, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    try:
        result = import_module(module).run(name, folder)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    (folder / f"{name}.json").write_text(json.dumps(result.as_json()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
