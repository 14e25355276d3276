"""The command line: killed, stopped and resumed. `python -m tests.interrupted` does more of it."""

import random
import re
import shlex
import signal
from pathlib import Path

import pytest

from .killing import Ended, answer_of, chain, run

ROOT = Path(__file__).resolve().parents[2]
CHECK = (
    "check", str(ROOT / "benchmarks/diorace.py"), "--param=pages=2", "--param=readers=2", "--param=mappers=2",
    "--param=fixed=0", "--no-reduction", "--engine=native", "--no-artifacts",
)  # fmt: skip
JSON = ("--output-format=json",)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """What the check gives that is left alone."""
    ended = run([*CHECK, *JSON, "--checkpoint=off"], tmp_path_factory.mktemp("plain"))
    assert ended.code == 1, ended.err
    return ended


def test_killed_and_resumed(tmp_path: Path, plain: Ended) -> None:
    found = chain([*CHECK, *JSON], tmp_path, 3, random.Random(), (0.4, 1.2))
    for ended in found.ends:
        assert ended.code == plain.code
        assert answer_of(ended) == answer_of(plain)


def test_killed_with_its_states_on_disk(tmp_path: Path, plain: Ended) -> None:
    """It is resumed without the option, too: what has no name is then in the cache."""
    (tmp_path / "states").mkdir()
    on_disk = (*CHECK, *JSON, "--checkpoint=saved", "--disk=states")
    stopped = run([*on_disk, "--max-depth=30"], tmp_path)
    assert stopped.code == plain.code, stopped.err
    (levels,) = (tmp_path / "saved").glob("*/search-disk.levels")
    size = levels.stat().st_size
    killed = run([*on_disk, "--resume"], tmp_path, random.uniform(0.4, 1.2))
    if killed.code is None:
        assert not levels.exists() or levels.stat().st_size >= size  # it may have had its answer, and not printed it
        killed = run([*CHECK, *JSON, "--checkpoint=saved", "--resume"], tmp_path)
    assert (killed.code, answer_of(killed)) == (plain.code, answer_of(plain))
    assert not list((tmp_path / "saved").iterdir())
    assert not list((tmp_path / "states").iterdir())


def test_a_search_that_was_stopped_says_how_it_is_resumed(tmp_path: Path, plain: Ended) -> None:
    stopped = run([*CHECK, "--checkpoint=saved", "--max-depth=30"], tmp_path)
    told = re.search(r"^  note: resume, with a larger --max-depth, with: dio-mc (.*)$", stopped.out, re.MULTILINE)
    assert told, stopped.out + stopped.err
    again = [word for word in shlex.split(told[1]) if word != "--max-depth=30"]
    assert "--resume" in again
    resumed = run([*again, *JSON], tmp_path)
    assert answer_of(resumed) == answer_of(plain)
    assert not list((tmp_path / "saved").iterdir())


def test_a_signal_leaves_what_is_whole(tmp_path: Path) -> None:
    larger = [word for word in CHECK if "=2" not in word and word != "--param=fixed=0"]
    larger += ["--param=pages=2", "--param=readers=3", "--param=mappers=3"]
    ended = run([*larger, "--checkpoint=saved"], tmp_path, by=signal.SIGTERM, at="saved/*/search.json")
    if ended.code == 0:
        pytest.skip("the search ended before the signal, which waits for the first saved level")
    assert ended.code == 3
    told = re.search(r"^  note: resume with: (dio-mc .* --resume)$", ended.out, re.MULTILINE)
    assert told, ended.out
    resumed = run(shlex.split(told[1])[1:], tmp_path)
    assert resumed.code == 0
    assert "11,805,586 states, depth 75, 52,761,019 transitions, complete" in resumed.out


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    run([*CHECK, "--checkpoint=saved", "--max-depth=30"], tmp_path)
    head = next((tmp_path / "saved").glob("*/search.json"))
    refused = run([*CHECK, "--checkpoint=saved", "--resume", "--first"], tmp_path)
    assert refused.code == 2
    name = head.relative_to(tmp_path)
    assert refused.err == (
        f"{name}: error DIO223: the checkpoint is refused: --first is given for one of the two searches, not for the "
        "other\n  hint: it is left as it is; without --resume, or with another --checkpoint, the search starts from the beginning\n"
    )
    again = run([*CHECK, "--checkpoint=saved"], tmp_path)
    assert again.code == 2
    assert again.err == (
        f"{name.parent}: error DIO224: there is a checkpoint already\n"
        "  hint: --resume continues it; remove the folder to start from the beginning\n"
    )


@pytest.mark.parametrize("option", ["--checkpoint=saved", "--resume"])
def test_searches_of_a_part_are_not_saved(tmp_path: Path, option: str) -> None:
    refused = run([*CHECK, "--simulate=3", option], tmp_path)
    assert refused.code == 2
    assert f"{option.partition('=')[0]} is for searches of all states: not with --simulate." in refused.err
