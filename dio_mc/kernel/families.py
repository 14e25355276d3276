"""The property families of the catalogue of races, under the field's own names, ready to attach to a model."""

from dio_mc.lang import Model, progress


class EveryCallEnds(Model, abstract=True):
    """Progress: threads that should end do, if waiters are served in turn."""

    @progress(fairness="strong")
    def every_call_ends(self):
        """Every thread that is no daemon comes to its end."""
        return self.at_rest()
