"""Making the encoder needs PyTorch and onnx, which running Exowatch does not: where they lack its test is left out."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") and find_spec("onnx") else ["test_encode.py"]
