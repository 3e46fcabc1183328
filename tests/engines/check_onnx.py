# SPDX-License-Identifier: MIT
"""usage: python3 check_onnx.py FILE...

Checks each file with the ONNX project's own checker, shape inference included, and that it states
the opset, IR version, dynamic batch, producer and metadata that exports promise.
"""
import sys

import onnx


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 7, model.ir_version
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)], model.opset_import
    assert model.producer_name == "biglittle", model.producer_name
    assert [value.name for value in model.graph.input] == ["input"]
    for value in list(model.graph.input) + list(model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "N", value
    assert all(entry.key and entry.value for entry in model.metadata_props)
    assert model.metadata_props, "no metadata"


for file in sys.argv[1:]:
    check(file)
