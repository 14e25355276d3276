"""The command ``certify``: checking a certificate on its own."""

from __future__ import annotations

from pathlib import Path

from dio_mc.anynumber.certificate import read_certificate
from dio_mc.checking.driver import Options
from dio_mc.checking.general import certify
from dio_mc.checking.results import SEVERITY
from dio_mc.engines.limits import Limits
from dio_mc.errors import did_you_mean, usage_error
from dio_mc.frontend.load import load_module
from dio_mc.source import display_path


def certified(certificate: str, model_file: str, limits: Limits) -> tuple[int, str]:
    """The exit code and the message. Raises `ModelError` if there is nothing to check."""
    try:
        text = Path(certificate).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise usage_error("DIO271", f"cannot be read: {reason}", file=certificate) from None
    name = read_certificate(text, certificate).model
    models = {model.__name__: model for model in load_module(model_file).models}
    if name not in models:
        hint = did_you_mean(name, models) or f"there are: {', '.join(models)}"
        raise usage_error("DIO272", f"the certificate is of `{name}`, which is not in {model_file}", hint=hint)
    found = certify(models[name], text, certificate, Options(limits.budget, stop=limits.stop))
    lines = [f"{display_path(model_file)} {name}: {found.words()}"]
    lines += [d.render() for d in found.refused]
    return SEVERITY[found.verdict], "\n".join(lines)
