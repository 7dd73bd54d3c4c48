"""The local stage on an instance of its own, with small images that answer as a test wants."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws import control, instance
from scripts import infra, push
from scripts._aws import Aws, load_stage
from scripts._image import read_image
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
        """Push an image whose function answers with `name`; its digest."""
        layout = self.folder / name / "layout"
        if not layout.exists():
            code = CODE.format(name=name, smokes=smokes, fails=fails).encode()
            layers = [
                base_layer(),
                packages_layer(),
                Layer(files={"var/task/function.py": code}),
            ]
            layout.parent.mkdir()
            write_layout(layout, layers, RUN)
        image = read_image(layout)
        push.push(self.aws, image)
        return image.digest

    def alias(self) -> dict[str, Any]:
        """The stage's alias, as Lambda tells it."""
        found: dict[str, Any] = self.aws.client("lambda").get_alias(
            FunctionName=self.function, Name=self.aws.stage.function.alias
        )
        return found

    def answer(self) -> str:
        """What callers of the alias get."""
        import json

        answer = self.aws.invoker.invoke(FunctionName=self.function, Qualifier=self.aws.stage.function.alias)
        return str(json.loads(answer["Payload"].read()).get("body"))


@contextmanager
def staged(name: str, folder: Path) -> Iterator[Staged]:
    """Start an instance, create the stage's resources with a first image, and end it after the block."""
    name = f"test-{os.getpid()}-{name}"
    try:
        aws = Aws(load_stage("local"), control.start(name).endpoint)
        infra.deploy(aws)
        found = Staged(aws, folder, name)
        digest = found.image("first")
        registry = aws.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
        infra.deploy(aws, image_uri=f"{registry}@{digest}")
        yield found
    finally:
        control.stop(name)
        shutil.rmtree(instance.folder(name), ignore_errors=True)
