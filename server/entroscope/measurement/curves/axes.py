"""Axes and units that a curve can be drawn in. Entropy does not change with the axis; rates do."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from entroscope.protocol.quantities import BITS, Quantity

Array = NDArray[np.float64]

#: Bits to nats.
NATS_PER_BIT = float(np.log(2))


class Unit(StrEnum):
    """What information is counted in."""

    BITS = "bits"
    NATS = "nats"


class Axis(StrEnum):
    """What the horizontal axis shows."""

    SIGMA = "sigma"
    LN_SIGMA = "ln_sigma"
    #: -2 ln sigma
    LOG_SNR = "log_snr"
    #: t of the VP process with alpha = e^-t: sigma = sqrt(e^{2t} - 1)
    VP_TIME = "vp_time"


#: Unit of a rate on each axis: information per one of these.
PER = {
    Axis.SIGMA: Axis.LN_SIGMA,
    Axis.LN_SIGMA: Axis.LN_SIGMA,
    Axis.LOG_SNR: Axis.LOG_SNR,
    Axis.VP_TIME: Axis.VP_TIME,
}


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


def in_unit(values: Array, quantity: Quantity, sigma: Array, unit: Unit, axis: Axis) -> Array:
    """Return values over sigma, in bits and per unit of ln sigma, as a unit and an axis have them.

    A probability stays what it is.
    """
    if quantity.unit != BITS:
        return values
    scaled = values * (NATS_PER_BIT if unit == Unit.NATS else 1.0)
    return scaled * production_factor(sigma, axis) if quantity.is_rate else scaled
