"""`python -m tests.evidence.obedient STATUS SECONDS ...`: a part that ends so, after so long."""

from __future__ import annotations

import sys
import time

if __name__ == "__main__":
    print('{"said": "so"}')
    try:
        time.sleep(float(sys.argv[2]))
    except KeyboardInterrupt:
        sys.exit(130)
    if sys.argv[1] != "0":
        print(f"Error: told to end with {sys.argv[1]}.", file=sys.stderr)
    sys.exit(int(sys.argv[1]))
