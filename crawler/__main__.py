"""`python -m crawler`: see `crawler.program`."""

import atexit
import gc
import sys

if __name__ == "__main__":
    atexit.register(gc.freeze)  # nothing is looked for in what the process held
    gc.set_threshold(50_000)  # a start makes many things and drops few: to look through them takes a sixth of it

    from crawler.program import main

    sys.exit(main())
