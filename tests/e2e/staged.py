"""The local stage on an instance of its own, with small images that answer as a test wants."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws import control, instance
from scripts.aws import resources
from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from scripts.checkout.layout import read_image
from scripts.images import push
from tests.e2e.small_image import RUN, base_layer, packages_layer
from tests.layouts import Layer, write_layout

CODE = """
def handler(event, context):
    if event.get("source") == "smoke":
        return {{"statusCode": 200 if {smokes} else 500, "body": "{name}"}}
    if {fails}:
        raise RuntimeError("{name} fails")
    return {{"statusCode": 200, "body": "{name}"}}
"""


@dataclass(frozen=True)
class Staged:
    """The stage's clients, a folder for layouts, and the name of the instance."""

    aws: Aws
    folder: Path
    name: str

    @property
    def function(self) -> str:
        """The function's name."""
        return self.aws.stage.function.name

    def image(self, name: str, *, smokes: bool = True, fails: bool = False) -> str:
        """Push an image whose function answers with `name`; returns its digest."""
        return self.push(name, CODE.format(name=name, smokes=smokes, fails=fails))

    def push(self, name: str, code: str) -> str:
        """Push an image with this handler module; returns its digest."""
        layout = self.folder / name / "layout"
        if not layout.exists():
            layout.parent.mkdir()
            layers = [base_layer(), packages_layer(), Layer(files={"var/task/function.py": code.encode()})]
            write_layout(layout, layers, RUN)
        image = read_image(layout)
        push.push(self.aws, image)
        return image.digest

    @contextmanager
    def call_meanwhile(self) -> Iterator[None]:
        """Invoke the alias while the block runs, whatever it answers."""
        end = threading.Event()

        def call() -> None:
            while not end.wait(0.05):
                self.aws.invoker.invoke(FunctionName=self.function, Qualifier=self.aws.stage.function.alias)

        caller = threading.Thread(target=call)
        caller.start()
        try:
            yield
        finally:
            end.set()
            caller.join()

    def alias(self) -> dict[str, Any]:
        """Return the stage's alias, as Lambda describes it."""
        name = self.aws.stage.function.alias
        return dict(self.aws.client("lambda").get_alias(FunctionName=self.function, Name=name))

    def answer(self) -> str:
        """Return what callers of the alias get."""
        import json

        answer = self.aws.invoker.invoke(FunctionName=self.function, Qualifier=self.aws.stage.function.alias)
        return str(json.loads(answer["Payload"].read()).get("body"))


@contextmanager
def start_staged(name: str, folder: Path) -> Iterator[Staged]:
    """Start an instance, create the stage's resources with a first image, and end it after the block."""
    name = f"test-{os.getpid()}-{name}"
    try:
        aws = Aws(load_stage("local"), control.start(name).endpoint)
        resources.deploy(aws)
        result = Staged(aws, folder, name)
        digest = result.image("first")
        registry = aws.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
        resources.deploy(aws, image_uri=f"{registry}@{digest}")
        yield result
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)
