"""The axes a curve can be drawn on. Entropy does not change with the axis; production does."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Bits to nats.
NATS_PER_BIT = float(np.log(2))


class Axis(StrEnum):
    """What the horizontal axis shows."""

    SIGMA = "sigma"
    LN_SIGMA = "ln_sigma"
    #: -2 ln sigma
    LOG_SNR = "log_snr"
    #: t of the VP process with alpha = e^-t: sigma = sqrt(e^{2t} - 1)
    VP_TIME = "vp_time"


def place(sigma: Array, axis: Axis) -> Array:
    """Return where noise levels lie on an axis."""
    match axis:
        case Axis.SIGMA:
            return sigma
        case Axis.LN_SIGMA:
            return np.asarray(np.log(sigma))
        case Axis.LOG_SNR:
            return np.asarray(-2 * np.log(sigma))
        case Axis.VP_TIME:
            return np.asarray(0.5 * np.log1p(sigma**2))


def production_factor(sigma: Array, axis: Axis) -> Array:
    """Return |d ln sigma / d axis|: what production per ln sigma is multiplied by.

    On the sigma axis, drawn logarithmically, production stays per unit of ln sigma.
    """
    match axis:
        case Axis.SIGMA | Axis.LN_SIGMA:
            return np.ones_like(sigma)
        case Axis.LOG_SNR:
            return np.full_like(sigma, 0.5)
        case Axis.VP_TIME:
            return 1 + sigma**-2
