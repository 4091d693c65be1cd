"""The command: run the campaign and print a table of outcomes.

Exit status 1 if anything crashed, was read wrongly in silence, or changed another's result.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.campaign import damages, entry_points, kills, plugins
from tests.campaign.outcomes import Table


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=6, help="of builds, and of evaluations")
    parser.add_argument("--damages", type=int, default=500, help="of files of every kind")
    parser.add_argument("--plugins", type=int, default=4, help="hostile methods")
    parser.add_argument("--entry-points", type=int, default=4, help="broken packages")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    table = Table()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wsbench-campaign-") as name:
        folder = Path(name)
        os.environ["WSBENCH_HOME"] = str(folder / "home")
        os.environ.setdefault("WSBENCH_KERNEL_CACHE", str(folder / "kernels"))
        for part, run, n in (
            ("damages", damages.run, arguments.damages),
            ("entry points", entry_points.run, arguments.entry_points),
            ("plugins", plugins.run, arguments.plugins),
            ("kills", kills.run, arguments.kills),
        ):
            if n:
                (folder / part).mkdir()
                run(n, random.Random(f"{arguments.seed} {part}"), folder / part, table)
    sys.stdout.write(f"{table}\nseed {arguments.seed}, {time.monotonic() - began:.0f} s\n")
    sys.exit(not table.is_clean)


if __name__ == "__main__":
    main()
