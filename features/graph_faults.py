"""What may not enter the transform graph: it has to run where neither Python nor the user's files are."""

from __future__ import annotations

from typing import Any

__all__ = ["python_operations"]

_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


def python_operations(graph: Any) -> list[str]:
    """The operations of a GraphDef, and of the functions in it, that call Python, sorted, each once."""
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return sorted({node.op for node in nodes} & _PYTHON)
