"""Compile every module in the given folders, with the Python that will import them.

    compile_bytecode.py FOLDER...

Forks its workers: `compileall -j` starts sys.executable again, which fails for a Python started through its own ld.so.
"""

import compileall
import os
import py_compile
import sys
from pathlib import Path


def main(folders: list[str]) -> None:
    """Distribute the files over one child per CPU, and wait for all of them."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    workers = os.cpu_count() or 1
    children = [os.fork() or compile_share(files[number::workers]) for number in range(workers)]
    for child in children:
        os.waitpid(child, 0)


def compile_share(files: list[Path]) -> int:
    """Compile these files in a child process, and exit. Templates that are not valid Python are skipped."""
    for file in files:
        compileall.compile_file(file, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
