"""Errors of usage, files and settings."""

from __future__ import annotations

from typing import Final

from dio_mc.catalogue.page import Page

PAGES: Final[dict[str, Page]] = {
    "DIO201": Page(
        "no such file",
        "The path does not exist or cannot be read as UTF-8 text.",
    ),
    "DIO202": Page(
        "a directory",
        "A file is needed here, or the directory contains no model file.",
    ),
    "DIO203": Page(
        "unknown parameter",
        "--param names a parameter that the model class does not declare.",
    ),
    "DIO204": Page(
        "invalid parameter value",
        "--param NAME=VALUE needs a whole number within the declared bounds.",
    ),
    "DIO205": Page(
        "unreadable trace",
        "The file is not a trace of this program, is truncated, or has another version.",
    ),
    "DIO206": Page(
        "trace of another model",
        "The trace was recorded from another model or with other parameters.",
    ),
    "DIO207": Page(
        "cannot write",
        "A counterexample or report could not be written. The verdict above is complete; the exit code is 2.",
    ),
    "DIO208": Page(
        "no such class",
        "The file has no model class of that name.",
    ),
    "DIO211": Page(
        "unknown setting",
        "A key of the configuration file, or an environment variable DIO_MC_..., is not a setting. `dio-mc config` "
        "lists the settings. A misspelt limit is an error because ignoring it would run another check than the one "
        "requested.",
        "[tool.dio-mc]\ntimout = 30        # timeout",
    ),
    "DIO212": Page(
        "invalid value of a setting",
        "The value is not valid for this setting; the message says which values are.",
    ),
    "DIO213": Page(
        "unreadable configuration",
        "dio-mc.toml or pyproject.toml is not valid TOML, or both contain settings: keep one of them.",
    ),
    "DIO214": Page(
        "no such revision",
        "--changed-since needs a git repository, and a revision that shares a commit with the work tree. In CI, "
        "fetch enough history.",
    ),
    "DIO215": Page(
        "invalid sweep",
        "--sweep takes NAME=LOW..HIGH or NAME=VALUE,VALUE with whole numbers, at most 1000 values.",
    ),
    "DIO216": Page(
        "nothing to mutate",
        "Every given class either violates a property as it is, or has no code of its own that the chosen kinds of "
        "mutation change. --inherited also mutates inherited code.",
    ),
    "DIO217": Page(
        "not a baseline",
        "The --baseline file is not a matrix written by `dio-mc matrix --format json`, or was written by another "
        "version.",
    ),
    "DIO218": Page(
        "schedule that cannot be followed",
        "A segment of the schedule cannot be read, names a thread that the model does not have, or asks for a step "
        "that is not possible at that point: the thread waits, has ended, or has several ways to continue.",
    ),
    "DIO219": Page(
        "nothing to compare",
        "The two matrices, or the two rules, have nothing in common that could be compared. Name a rule and "
        "operations that both have.",
    ),
    "DIO221": Page(
        "not a folder",
        "A folder of counterexamples is needed here; use `dio-mc show` for a single trace.",
    ),
    "DIO222": Page(
        "port taken",
        "The port given with --port is in use or not permitted. Without --port, any free port is used.",
    ),
    "DIO223": Page(
        "checkpoint refused",
        "What --resume found is damaged, or belongs to another model, other parameters or options, or another version "
        "of dio-mc; the message says which. The files are left as they are. Without --resume, or with another "
        "--checkpoint, the search starts from the beginning. `docs/large.md` says what must be the same.",
    ),
    "DIO224": Page(
        "checkpoint in the way",
        "The folder given with --checkpoint already contains a checkpoint of this check, or another process is using "
        "it. With --resume the search continues from it; to start from the beginning, remove the folder.",
    ),
    "DIO225": Page(
        "Ray is not installed",
        "--ray divides a search among the workers of a Ray cluster (ray.io), even one on this machine. Ray is an "
        "optional part of dio-mc: `docs/cluster.md`.",
        "pip install 'dio-mc[cluster]'",
    ),
    "DIO226": Page(
        "no Ray cluster there",
        "--ray takes HOST:PORT of the head of a cluster that this machine is a part of (`ray start --address ...`), "
        "`auto` for the cluster on this machine, or nothing, which starts one. The message says what is wrong: there "
        "is no connection, Ray or Python has another version, or there are fewer processors than --workers.",
        "dio-mc check MODEL.py --ray 10.0.0.1:6379",
    ),
    "DIO227": Page(
        "another dio-mc on a worker",
        "All machines of a search run the same code, or its answer would be worth nothing. The message names a machine "
        "whose dio-mc has another version or other files than this one, or none at all.",
    ),
    "DIO231": Page(
        "invalid name for a model",
        "A name must be a letter followed by letters, digits and underscores: it names a file and a class.",
    ),
    "DIO232": Page(
        "file exists",
        "`dio-mc new` does not overwrite files. Choose another name, or move the file.",
    ),
    "DIO233": Page(
        "too many states to draw",
        "A graph of several hundred states is unreadable, and Graphviz needs minutes for it. Bind smaller "
        "parameters, or raise --max-states and open the GraphML in a program for large graphs.",
    ),
    "DIO241": Page(
        "cannot be exported",
        "Some part of the model has no counterpart in the other language: a step with a loop of local statements "
        "whose length depends on the state, an index with more than 64 values, more than 1,000 initial states, or a "
        "thread that fails before its first step. Write the loop over a range, or bound the index. The same error is "
        "given if a number may not fit: SPIN and TLC compute with 32 bits and Rumur with 64, and a result that wraps "
        "around would change the program.",
    ),
}
