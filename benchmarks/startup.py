"""How long a command line takes to say something: `crmsync --help` next to an empty Python.

python benchmarks/startup.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

import bench

ROUNDS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "crmsync --help": ["-m", "crmsync", "--help"],
    "crmsync sync --help": ["-m", "crmsync", "sync", "--help"],
    "crmsync --version": ["-m", "crmsync", "--version"],
    "import simple_salesforce": ["-c", "import simple_salesforce"],
    "import hubspot": ["-c", "import hubspot"],
}


def cpu_ms(arguments: list[str]) -> float:
    """CPU time of one child: steadier than the clock where the machine does other work too."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = os.times()
    return 1000 * (after.children_user + after.children_system - before.children_user - before.children_system)


if __name__ == "__main__":
    print(bench.machine())
    rounds = {name: [cpu_ms(arguments) for _ in range(ROUNDS)] for name, arguments in COMMANDS.items()}
    empty = statistics.median(rounds["python -c pass"])
    print(f"{'':<28}{'CPU, median':>12}{'of an empty Python':>21}")
    for name, measured in rounds.items():
        middle = statistics.median(measured)
        print(f"{name:<28}{middle:>9.0f} ms{middle / empty:>20.1f}x")
