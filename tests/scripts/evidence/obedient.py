"""`python -m tests.scripts.evidence.obedient STATUS SECONDS [FROM TO] ...`: a part that ends like that.

With FROM and TO it copies a file, as a measurement leaves its record.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    print('{"said": "so"}')
    match sys.argv[3:]:
        case [source, target, *_] if source.endswith(".record"):
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    sys.stdout.flush()
    try:
        time.sleep(float(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
    if sys.argv[1] != "0":
        print(f"Error: told to end with {sys.argv[1]}.", file=sys.stderr)
    sys.exit(int(sys.argv[1]))
