"""Write ``sbom.cdx.json`` (CycloneDX 1.6) from ``requirements.lock``: `python scripts/sbom.py`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_PINNED = re.compile(r"([a-zA-Z0-9._-]+)==(\S+)")


def component(block: str) -> dict[str, Any]:
    found = _PINNED.match(block)
    if found is None:
        raise SystemExit(f"not a pinned requirement: {block[:60]}")
    name, version = found[1], found[2]
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "hashes": [{"alg": "SHA-256", "content": h} for h in re.findall(r"sha256:([0-9a-f]{64})", block)],
    }


def main() -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "crmsync", "bom-ref": "crmsync"}},
        "components": [component(block) for block in blocks if not block.startswith("#")],
    }
    (ROOT / "sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n")


if __name__ == "__main__":
    main()
