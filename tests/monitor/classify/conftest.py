"""What needs an optional extra is not collected where the extra is not installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("hyperscan") else ["test_hyperscan.py"]
