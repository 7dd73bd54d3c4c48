"""Code that runs in the image, under the real runtime client and the image's own Python."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.run_image import run_image
from local_aws.sandbox import FunctionSettings
from nix.assembly.differences import ImageLayout
from nix.assembly.layers import APP_FOLDERS, list_app_files
from nix.oci.config import REVISION
from nix.revision import read_checkout
from tests.image.conftest import Check

ROOT = Path(__file__).resolve().parents[2]
# Imports each module of /var/task and prints their files; runs in the image.
IMPORT_ALL = """
import importlib, os
os.chdir("/var/task")
files = sorted(os.path.join(folder, name)[2:] for folder, _, names in os.walk(".") for name in names)
modules = [name for name in files if name.endswith(".py")]
for name in modules:
    importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
print(*modules, sep="\\n")
"""
HEAVY = [
    "numpy",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.calibration",
    "xgboost",
    "langchain",
    "langchain_core.messages",
    "langgraph.graph",
    "langchain_aws",
    "langchain_openai",
    "langchain_anthropic",
    "tiktoken",
    "pydantic",
    "jinja2",
    "ruamel.yaml",
    "re2",
    "boto3",
    "awslambdaric",
    "sqlite3",
    "lzma",
    "zoneinfo",
    "ctypes",
]


@pytest.mark.parametrize("module", HEAVY)
def test_a_dependency_imports(module: str, check: Check) -> None:
    """Each library that the worker may use can be imported in the image."""
    assert check("imports", [module]) == [module]


def test_models_train_and_predict(check: Check) -> None:
    """scikit-learn's and XGBoost's compiled parts work."""
    assert check("fit") == {"linear": [1, 0, 1, 0], "boosted": [1, 0, 1, 0]}


def test_a_graph_runs(check: Check) -> None:
    """LangGraph compiles and runs a graph."""
    assert check("graph") == {"value": 42}


def test_tls_trusts_the_bundle(check: Check) -> None:
    """A TLS context finds the bundle of Debian's certificates."""
    assert check("certificates") > 100


def test_distributions_know_their_versions(check: Check) -> None:
    """importlib.metadata reads the installed metadata."""
    versions = check("versions", ["xgboost-cpu", "scikit-learn", "boto3", "langgraph"])
    assert all(version[0].isdigit() for version in versions.values())


def test_every_distribution_brings_its_licence(check: Check) -> None:
    """Every package in the image has a licence text."""
    assert check("without_licence") == []


def test_the_needed_services_have_models(check: Check) -> None:
    """boto3 creates clients for the services that the worker and its language models call."""
    services = ["sqs", "dynamodb", "s3", "sts", "bedrock-runtime", "secretsmanager", "ssm", "logs"]
    assert check("clients", services) == services


def test_nothing_is_compiled_at_a_cold_start(check: Check) -> None:
    """Every imported module in the image has its bytecode."""
    assert [name for name in check("compiled_at_start") if not name.startswith("handler")] == []


def test_every_module_of_ours_imports(layout: Path) -> None:
    """Every module of handler and plexus in the image can be imported there; host-only ones are left out."""
    words = ["-m", "scripts", "shell", "--image", str(layout), "--", "/usr/bin/python3.11", "-c", IMPORT_ALL]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    source = read_checkout(APP_FOLDERS)
    ours = [path for name in APP_FOLDERS for path in list_app_files(source, name) if path.endswith(".py")]
    assert sorted(done.stdout.split()) == sorted(ours)


def test_the_real_handler_answers(layout: Path) -> None:
    """The worker starts in the image, and reports that it is ready and its commit."""
    variables = {
        "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL": "https://sqs.us-west-2.amazonaws.com/000000000000/request",
        "PLEXUS_RESPONSE_WORKER_QUEUE_URL": "https://sqs.us-west-2.amazonaws.com/000000000000/response",
        "PLEXUS_ACCOUNT_KEY": "test",
    }
    with run_image(layout, FunctionSettings(memory_mb=2048, timeout_s=60, environment=variables)) as function:
        reply = function.invoke({"source": "smoke"})
    assert not reply.error, reply.payload.decode() + reply.log
    answer = json.loads(reply.payload)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["revision"] == ImageLayout(layout).config["config"]["Labels"][REVISION]
