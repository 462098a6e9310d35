"""How code is imported where there is much of it."""

import gc
import importlib
from types import ModuleType


def load_code(name: str) -> ModuleType:
    """Import a module; the garbage collector does not look meanwhile, as there is nothing to find."""
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.enable()
