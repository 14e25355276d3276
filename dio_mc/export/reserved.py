"""Reserved words of the targets. SPIN generates C, so C's keywords are included."""

from __future__ import annotations

from typing import Final

PROMELA: Final = frozenset((
    "D_proctype", "accept", "active", "assert", "atomic", "auto", "bit", "bool", "break", "byte", "c_code",
    "c_decl", "c_expr", "c_state", "c_track", "case", "chan", "char", "const", "continue", "d_step", "default",
    "do", "double", "else", "empty", "enabled", "end", "ended", "enum", "eval", "extern", "false", "fi",
    "float", "for", "full", "get_priority", "goto", "hidden", "if", "in", "init", "inline", "int", "len",
    "local", "long", "ltl", "model", "mtype", "nempty", "never", "nfull", "notrace", "now", "np_", "od", "of",
    "pc_value", "pid", "printf", "printm", "priority", "proctype", "progress", "provided", "register", "return",
    "run", "select", "set_priority", "short", "show", "signed", "sizeof", "skip", "static", "struct", "switch",
    "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "timeout", "trace", "true", "typedef", "union", "unless",
    "unsigned", "void", "volatile", "while", "xr", "xs",
))  # fmt: skip
MURPHI: Final = frozenset((
    "alias", "array", "assert", "assume", "begin", "boolean", "by", "case", "clear", "const", "cover", "do",
    "else", "elsif", "end", "endalias", "endexists", "endfor", "endforall", "endfunction", "endif",
    "endprocedure", "endrecord", "endrule", "endruleset", "endstartstate", "endswitch", "endwhile", "enum",
    "error", "exists", "false", "for", "forall", "function", "if", "in", "int", "interleaved", "invariant",
    "isundefined", "liveness", "of", "procedure", "process", "program", "put", "record", "return", "rule",
    "ruleset", "scalarset", "startstate", "switch", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "then",
    "to", "traceuntil", "true", "type", "undefine", "union", "var", "while", "whole",
))  # fmt: skip
TLA: Final = frozenset((
    "action", "assume", "assumption", "axiom", "bind", "boolean", "by", "case", "choose", "constant",
    "constants", "corollary", "def", "define", "defs", "domain", "else", "enabled", "except", "extend",
    "extends", "false", "fault", "finished", "have", "hide", "if", "in", "init", "instance", "integers",
    "lambda", "lemma", "let", "local", "module", "naturals", "new", "next", "nodeadlock", "obvious", "omitted",
    "only", "other", "pick", "proof", "proposition", "prove", "qed", "recursive", "spec", "string", "subset",
    "suffices", "take", "temporal", "then", "theorem", "true", "typeok", "unchanged", "union", "use",
    "variable", "variables", "vars", "with", "witness",
))  # fmt: skip
