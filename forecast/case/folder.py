"""Case folder on disk: reading an existing case, and writing the template of a new one."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from forecast.case import html
from forecast.case.errors import Fault, Faults, InputError, listed, meant
from forecast.case.evidence import Evidence
from forecast.case.in_force import in_force
from forecast.case.outliers import outlier_warnings
from forecast.case.question import Question
from forecast.case.warnings import WarningMessage, case_warnings

QUESTION, EVIDENCE = "question.yaml", "evidence.csv"

#: The kinds of questions there is a template for.
Kind = Literal["event", "regime", "static", "minimal"]


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """A question with its evidence, as it stood on disk.

    ``name`` is the name of the folder, ``path``. ``digest`` is the SHA-256 of the two files: two cases with
    one digest give one forecast. Line ends and a byte order mark do not count, so that a checkout on another
    system has the same digest. ``warnings`` is what is not wrong but worth a second look.
    """

    name: str
    path: Path
    question: Question
    evidence: Evidence
    digest: str
    warnings: tuple[WarningMessage, ...] = ()

    def on(self, day: date) -> Case:
        """Return the case with the question version in force on a day."""
        return self if self.question.history is None else replace(self, question=in_force(self.question, day))

    def __repr__(self) -> str:
        q = self.question
        counts = f"{len(q.scenarios)} scenarios, {len(q.indicators)} indicators, {len(q.sources)} sources"
        return f"<Case {self.name}: {counts}, {len(self.evidence.reports)} rows of evidence>"

    def _repr_html_(self) -> str:
        parts = [*self.question.html_parts(), self.evidence.html_part()]
        if self.warnings:
            warnings = html.bullets(map(str, self.warnings))
            parts.append(html.fold(f"Worth a second look ({len(self.warnings)})", warnings))
        return html.page("forecast.Case", parts, name=self.name, more=f"inputs {self.digest[:12]}")


def load_case(path: Path | str) -> Case:
    """Read and check a case folder.

    Parameters
    ----------
    path : path
        The folder, which holds ``question.yaml`` and ``evidence.csv``.

    Raises
    ------
    InputError
        With every fault of both files, not only the first.

    Examples
    --------
    >>> load_case("scenarios/isis-jn-2014").question.horizon  # doctest: +SKIP
    datetime.date(2015, 3, 31)
    """
    from forecast.case.reader.evidence import parse_evidence  # with pydantic: only who reads a file needs it
    from forecast.case.reader.question import parse_question

    folder = Path(path)
    if not folder.is_dir():
        raise InputError([_no_folder(folder)])
    of_question, of_evidence = Faults(str(folder / QUESTION)), Faults(str(folder / EVIDENCE))
    asked, log = _bytes(folder / QUESTION, of_question), _bytes(folder / EVIDENCE, of_evidence)
    question, outline = (None, None) if asked is None else parse_question(asked, of_question)
    evidence, undated = Evidence(), tuple[str, ...]()
    if log is not None and outline is not None:
        evidence, undated = parse_evidence(log, outline, of_evidence)
    if of_question.noted or of_evidence.noted or question is None:
        raise InputError([*of_question.in_order(), *of_evidence.in_order()])
    warnings = case_warnings(question, evidence, undated=undated) + outlier_warnings(question, evidence)
    digest = digest_of(asked or b"", log or b"")
    return Case(folder.resolve().name, folder, question, evidence, digest, warnings)


def as_case(case: Case | Path | str) -> Case:
    """Return a case, loaded if its folder is given."""
    return case if isinstance(case, Case) else load_case(case)


def new_case(path: Path | str, *, kind: Kind = "regime") -> Path:
    """Write an example case, commented throughout, that passes every check; return its folder.

    Parameters
    ----------
    path : path
        The folder to make. It must not exist yet, or be empty; folders above it are made too.
    kind : str
        "event" (will it have happened by the horizon?), "regime" (a state that moves), "static" (the truth is
        fixed already), or "minimal" (the shortest there is, an event).

    Raises
    ------
    InputError
        If there is something at `path` already, there is no such kind, or the folder cannot be written.
        Nothing is overwritten.
    """
    folder, kinds = Path(path), get_args(Kind)
    if kind not in kinds:
        fix = meant(kind, kinds) or "choose one of these"
        raise InputError([Fault("kind of question", 0, kind, "there is no such kind", listed(kinds), fix)])
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        problem = "there is something here already, and nothing is overwritten"
        raise InputError([Fault(str(folder), 0, None, problem, fix="choose another name for the new case")])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write_template(folder, kind)
    except OSError as error:
        problem = f"the folder cannot be written: {error.strerror or error}"
        raise InputError([Fault(str(folder), 0, None, problem, fix="choose another place")]) from error
    return folder


def _write_template(folder: Path, kind: Kind) -> None:
    """Write everything in a folder beside its place and move it there, so that there is never half a case.

    A folder that is there already stays: somebody may stand in it.
    """
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=folder if folder.exists() else folder.parent))
    try:
        template = resources.files("forecast.case").joinpath("template")
        for file in (*template.joinpath(kind).iterdir(), template.joinpath("question.schema.json")):
            (made / file.name).write_bytes(file.read_bytes())
        if folder.exists():
            for path in list(made.iterdir()):
                path.rename(folder / path.name)
            made.rmdir()
        else:
            os.umask(mask := os.umask(0))
            made.chmod(0o777 & ~mask)
            made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _bytes(path: Path, faults: Faults) -> bytes | None:
    """Return a file's bytes, or None after noting why there are none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        problem, fix = "the file is missing", "see `forecast new` for an example of a case"
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror or error}"
        fix = "check that it is a file, and who may read it"
    faults.add(0, None, problem, fix=fix)
    return None


def _no_folder(path: Path) -> Fault:
    if path.exists():
        fix = "give the folder that holds it"
        return Fault(str(path), 0, None, "this is a file, not a case folder", fix=fix)
    try:
        near = [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
    except OSError:
        near = []
    fix = meant(path.name, near) or "give the path of a case folder; `forecast new` makes one"
    return Fault(str(path), 0, None, "there is no such case folder", fix=fix)


def digest_of(question: bytes, evidence: bytes) -> str:
    """Return the SHA-256 of both files, ignoring line endings and a byte order mark."""
    digest = hashlib.sha256()
    for data in (question, evidence):
        plain = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        digest.update(f"{len(plain)}\n".encode())
        digest.update(plain)
    return digest.hexdigest()
