"""Making the encoder needs PyTorch, which running Exowatch does not: its test is left out where that is missing."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["test_encode.py"]
