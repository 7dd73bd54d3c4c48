"""Compile every module in the given folders; runs under the Python that will import them.

    compile_bytecode.py FOLDER...

Works by forking: a Python that is started through its own ld.so cannot start itself again, as compileall -j does.
"""

import compileall
import os
import py_compile
import sys
from pathlib import Path


def main(folders: list[str]) -> None:
    """Share the files among as many children as there are CPUs, and wait for all of them."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    workers = os.cpu_count() or 1
    children = [os.fork() or compile_share(files[number::workers]) for number in range(workers)]
    for child in children:
        os.waitpid(child, 0)


def compile_share(files: list[Path]) -> int:
    """In a child: compile these files and end. Templates with another syntax do not compile, and need not."""
    for file in files:
        compileall.compile_file(file, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
