"""A trained XGBoost model, read and asked through XGBoost's C library.

`import xgboost` imports scikit-learn and SciPy's statistics, which takes ten times as long as everything else that a
first score needs. The functions and their arguments are those that XGBoost's own Python package calls.
"""

from __future__ import annotations

import ctypes
import json
import weakref
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_MARGINS, _CONTRIBUTIONS = 1, 2
_WHOLE = {"training": False, "iteration_begin": 0, "iteration_end": 0, "strict_shape": False}


class Booster:
    """XGBoost's model. `content` is its JSON form, as `save_raw("json")` returns it.

    Raises ValueError if XGBoost refuses it, and ModuleNotFoundError without XGBoost. Safe to use from several threads.
    """

    def __init__(self, content: bytes) -> None:
        if not content:
            raise ValueError("an empty model")  # XGBoost 3.2 would end the process
        self.content = content
        self._handle = ctypes.c_void_p()
        _call("XGBoosterCreate", None, ctypes.c_uint64(0), ctypes.byref(self._handle))
        weakref.finalize(self, _library().XGBoosterFree, self._handle)
        _call("XGBoosterLoadModelFromBuffer", self._handle, content, ctypes.c_uint64(len(content)))

    def predict(self, matrix: Any) -> tuple[Any, Any]:
        """Return margins and contributions, float32, of the rows of a CSR matrix, (texts, terms).

        Margins are log-odds: (texts,) with one output, else (texts, outputs). Contributions are (texts, terms + 1) or
        (texts, outputs, terms + 1); the last column is the bias.
        """
        data = ctypes.c_void_p()
        arrays = (_interface(matrix.indptr), _interface(matrix.indices), _interface(matrix.data))
        width, options = ctypes.c_uint64(matrix.shape[1]), _encode({"missing": float("nan"), "nthread": -1})
        _call("XGDMatrixCreateFromCSR", *arrays, width, options, ctypes.byref(data))
        try:
            return self._predict(data, _MARGINS), self._predict(data, _CONTRIBUTIONS)
        finally:
            _library().XGDMatrixFree(data)

    def _predict(self, data: ctypes.c_void_p, kind: int) -> Any:
        import numpy

        sizes, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        values = ctypes.POINTER(ctypes.c_float)()
        results = (ctypes.byref(sizes), ctypes.byref(dimensions), ctypes.byref(values))
        _call("XGBoosterPredictFromDMatrix", self._handle, data, _encode({"type": kind, **_WHOLE}), *results)
        shape = tuple(sizes[: dimensions.value])
        # XGBoost owns the result, and overwrites it in the next call.
        return numpy.ctypeslib.as_array(values, shape).copy() if all(shape) else numpy.zeros(shape, numpy.float32)


@cache
def _library() -> ctypes.CDLL:
    package = find_spec("xgboost")
    folders = [Path(folder) / "lib" for folder in (package.submodule_search_locations or ())] if package else []
    paths = [path for folder in folders for path in sorted(folder.glob("*xgboost.*"))]
    if not paths:
        raise ModuleNotFoundError("No module named 'xgboost'", name="xgboost")
    try:
        library = ctypes.CDLL(str(paths[0]))
    except OSError as problem:  # the OpenMP runtime is missing, for one
        raise ImportError(f"XGBoost's library cannot be loaded: {problem}", name="xgboost") from problem
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library


def _call(function: str, *arguments: Any) -> None:
    """Call a function of the library. Raises ValueError with the first line of its message if it fails."""
    library = _library()
    if getattr(library, function)(*arguments):
        raise ValueError(library.XGBGetLastError().decode(errors="replace").partition("\n")[0])


def _interface(array: Any) -> bytes:
    """Return NumPy's array interface as JSON; the array has to outlive the call."""
    place = {"data": [array.ctypes.data, True], "shape": array.shape, "typestr": array.dtype.str, "version": 3}
    return _encode(place)


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
