"""A folder of artifacts that several processes write."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_processes_that_add_the_same_at_once_both_find_it(tmp_path: Path) -> None:
    """Four processes put twenty artifacts each into one folder: nothing is half, nothing is left over."""
    program = (
        "import sys, pathlib; from plexus.artifacts import FolderArtifacts\n"
        "place, store = pathlib.Path(sys.argv[1]), FolderArtifacts(sys.argv[2])\n"
        "for n in range(20):\n"
        "    (place / 'model').write_text(str(n) * 5000)\n"
        "    digest = store.put(place)\n"
        "    assert (store.get(digest) / 'model').read_text() == str(n) * 5000\n"
    )
    store, folders = tmp_path / "store", [tmp_path / f"p{n}" for n in range(4)]
    for folder in folders:
        folder.mkdir()
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(folders[n]), str(store)], cwd=ROOT) for n in range(4)
    ]
    assert [process.wait(300) for process in processes] == [0] * 4
    assert len(list(store.iterdir())) == 20
