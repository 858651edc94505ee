"""The same files give the same build: on any machine, in any order, under any locale and clock."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from newsletter_mail.compose.build import compile_issue, issue_languages
from newsletter_mail.compose.pictures import conversion
from newsletter_mail.words import Build
from tests.unit.compose.desk import SETTINGS, Desk
from tests.unit.compose.test_pictures_made import photograph, put, saved, transparent

ROOT = Path(__file__).parents[3]
BODY = """\
# News

::: when
2026-06-27/2026-06-28
:::

![a](a.jpg)

## B

![b](b.webp)

![c](c.svg)

::: event {date="2026-04-02 10:00" place="Paris"}
Text with ![d](d.avif) in it.
:::
"""
#: Compiles every language in a process of its own; the order of folders is by chance.
PROGRAM = """
import json, os, random, sys
from pathlib import Path

def shuffled(original):
    def read(*arguments):
        entries = list(original(*arguments))
        random.shuffle(entries)
        return entries
    return read

class Scan(list):
    def __enter__(self): return self
    def __exit__(self, *error): return None
    def __next__(self):
        if not self: raise StopIteration
        return self.pop()
    def close(self): pass

scandir = os.scandir
os.listdir = shuffled(os.listdir)
os.scandir = lambda *a: Scan(shuffled(scandir)(*a))
from newsletter_mail.compose.build import compile_issue, issue_languages
from tests.unit.compose.desk import SETTINGS
workspace = Path(sys.argv[1])
folder = workspace / "issues" / "sample"
places = {"workspace": workspace, "settings": SETTINGS}
builds = [
    compile_issue(folder, language=language, **places)
    for language in issue_languages(folder, **places)
]
print(json.dumps([[b.language, b.digest, [p.name for p in b.pictures]] for b in builds]))
"""


@pytest.fixture
def desk(desk: Desk) -> Desk:
    put(desk, "a.jpg", saved(photograph((1500, 700)), "JPEG"))
    put(desk, "b.webp", saved(transparent((1300, 300)), "WEBP"))
    put(desk, "d.avif", saved(photograph((300, 200)), "AVIF"))
    put(
        desk,
        "c.svg",
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 60">'
        b'<circle cx="30" cy="30" r="29" fill="#0a655e" opacity=".5"/></svg>',
    )
    desk.write(BODY)
    for language in ("fr", "ar", "de", "pt-BR"):
        desk.write(BODY, name=f"issue.{language}.md")
    return desk


def compiled(desk: Desk) -> list[Build]:
    languages = issue_languages(desk.folder, workspace=desk.workspace, settings=SETTINGS)
    return [
        compile_issue(desk.folder, workspace=desk.workspace, settings=SETTINGS, language=language)
        for language in languages
    ]


def facts(builds: list[Build]) -> list[object]:
    return [[b.language, b.digest, [picture.name for picture in b.pictures]] for b in builds]


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "0"},
        {"LANG": "ar_EG.UTF-8", "LC_ALL": "ar_EG.UTF-8", "TZ": "Asia/Kathmandu"},
        {"LANGUAGE": "tr", "LC_TIME": "de_DE", "TZ": "America/St_Johns", "PYTHONHASHSEED": "7"},
        {"TZ": "Nowhere", "PYTHONUTF8": "0", "PYTHONHASHSEED": "4294967295"},
    ],
)
def test_another_machine_makes_the_same_builds(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> None:
    here = facts(compiled(desk))
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "Другая папка"
    names = [file.relative_to(desk.workspace) for file in sorted(desk.folder.iterdir())]
    random.shuffle(names)
    for name in names:
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(desk.workspace / name, elsewhere / name)
        os.utime(elsewhere / name, (random.randrange(10**9),) * 2)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, elsewhere],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == here


def test_a_machine_that_packs_the_same_pixels_otherwise_has_the_same_digest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = compiled(desk)
    shutil.rmtree(desk.workspace / ".cache")

    def packed(image: Image.Image) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    monkeypatch.setattr(conversion, "_png", packed)
    after = compiled(desk)

    assert [build.digest for build in before] == [build.digest for build in after]
    assert [build.pictures for build in before] != [build.pictures for build in after]


def test_another_picture_is_another_digest(desk: Desk) -> None:
    before = [build.digest for build in compiled(desk)]
    put(desk, "a.jpg", saved(photograph((1500, 700)), "JPEG", quality=50))

    assert not set(before) & {build.digest for build in compiled(desk)}
