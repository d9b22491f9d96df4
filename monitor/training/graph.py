"""The graph of the encoder's layers for ONNX Runtime. Its weights come from `encoder.npz` when it is loaded."""

from __future__ import annotations

from onnx import TensorProto, helper

_OPSET, _FORMAT = 18, 9
_FUSED = "com.microsoft"  # ONNX Runtime's own operators
_QUICK = 1.702  # x / (1 + e^-1.702x) stands for GELU (Hendrycks and Gimpel 2016)
_SMALL = 1e-5


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[object] = []
        self.weights: list[TensorProto] = []

    def node(self, kind: str, given: list[str], made: list[str], domain: str = _FUSED, **told: float) -> None:
        self.nodes.append(helper.make_node(kind, given, made, domain=domain, **told))

    def weight(self, name: str, *shape: int, kind: int = TensorProto.FLOAT) -> str:
        """Named here, given when the graph is loaded."""
        made = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        made.external_data.add(key="location", value="-")
        self.weights.append(made)
        return name

    def times(self, part: str, given: str, rows: int, columns: int, *, even: bool = True) -> str:
        """Inputs in 8 bits by their own reach, weights in the bits they come in."""
        if even:
            self.node("Mul", [given, self.weight(f"{part}.even", rows)], [f"{part}.in"], domain="")
            given = f"{part}.in"
        steps, shift = self.weight(f"{part}.s", columns), self.weight(f"{part}.b", columns)
        numbers = self.weight(f"{part}.w", rows, columns, kind=TensorProto.INT8)
        self.node("DynamicQuantizeMatMul", [given, numbers, steps, "", shift], [f"{part}.out"])
        return f"{part}.out"

    def norm(self, name: str, states: str, more: str, size: int) -> str:
        halves = [self.weight(f"{name}.{half}", size) for half in "wb"]
        self.node("Add", [states, more], [f"{name}.in"], domain="")  # faster apart than as SkipLayerNormalization
        self.node("LayerNormalization", [f"{name}.in", *halves], [f"{name}.out"], domain="", epsilon=_SMALL)
        return f"{name}.out"

    def layer(self, place: int, states: str, size: int, inner: int, heads: int) -> str:
        asked = self.times(f"{place}.attend", states, size, 3 * size)
        three = [f"{place}.{one}" for one in ("query", "key", "value")]
        self.node("Split", [asked], three, domain="", axis=-1, num_outputs=3)
        self.node("MultiHeadAttention", three, [f"{place}.seen"], num_heads=heads)
        gathered = self.times(f"{place}.gather", f"{place}.seen", size, size, even=False)
        states = self.norm(f"{place}.norm", states, gathered, size)
        wide = self.times(f"{place}.inner", states, size, inner)
        self.node("QuickGelu", [wide], [f"{place}.wide"], alpha=_QUICK)
        return self.norm(f"{place}.last", states, self.times(f"{place}.outer", f"{place}.wide", inner, size), size)


def graph(size: int, inner: int, heads: int, layers: int) -> bytes:
    """From `states` (1, pieces, size) to `out`, the same some layers on."""
    made = _Graph()
    states = "states"
    for place in range(layers):
        states = made.layer(place, states, size, inner, heads)
    made.node("Identity", [states], ["out"], domain="")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "pieces", size]) for name in ("states", "out")]
    whole = helper.make_graph(made.nodes, "layers", ends[:1], ends[1:], made.weights)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)]
    model = helper.make_model(whole, opset_imports=opsets, ir_version=_FORMAT, producer_name="exowatch")
    return bytes(model.SerializeToString(deterministic=True))
