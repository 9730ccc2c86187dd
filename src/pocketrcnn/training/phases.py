"""Training in phases: which parts of the network learn, on which regions, at which place of the schedule.

For the four steps of Ren et al. 2015, section 3.2, and for a head that sees true boxes first and predicted ones later.
A run without phases is one phase in which the whole network learns.
"""

from itertools import accumulate

from ..config import PhaseConfig, TrainConfig
from .state import State, copied

WHOLE = (PhaseConfig(),)


def enter(state: State, settings: TrainConfig, iteration: int) -> tuple[PhaseConfig, int, int]:
    """The phase that an iteration belongs to, and its place in the schedule: iterations done, and all of them.

    Makes the network ready for the phase. Borders follow from the iterations that are planned now: where another number
    is planned on the way, the phase that goes on becomes longer or shorter, and those before it stay over.
    """
    phases = settings.phases or WHOLE
    ends = borders(phases, state.planned)
    index = max(state.phase, next((i for i, end in enumerate(ends) if iteration < end), len(phases) - 1))
    phase = phases[index]
    if index > state.phase:
        state.phase, state.phase_began, state.frozen = index, iteration, None
    if phase.proposals == "frozen" and state.frozen is None:
        state.frozen = copied(state.model)
    state.model.train_only(phase.trained)
    if phase.restart:
        return phase, iteration - state.phase_began, max(ends[index] - state.phase_began, 1)
    return phase, iteration, state.planned


def borders(phases: tuple[PhaseConfig, ...], planned: int) -> list[int]:
    """The iterations before which the phases end; the last one ends with the run."""
    parts = accumulate(phase.fraction for phase in phases[:-1])
    return [*(round(part * planned) for part in parts), planned]
