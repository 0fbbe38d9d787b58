"""`python -m tests.evidence.obedient STATUS SECONDS [FROM TO] ...`: a part that ends so, after so long.

With FROM and TO it leaves a file behind as a measurement leaves its record.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    print('{"said": "so"}')
    if sys.argv[3].endswith(".record"):
        Path(sys.argv[4]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sys.argv[3], sys.argv[4])
    try:
        time.sleep(float(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
    if sys.argv[1] != "0":
        print(f"Error: told to end with {sys.argv[1]}.", file=sys.stderr)
    sys.exit(int(sys.argv[1]))
