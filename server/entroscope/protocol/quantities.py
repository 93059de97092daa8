"""The quantities that a run measures: the one table that everything with their names follows.

From it follow the rows of the tables of moments, what a record keeps of each trajectory, the fields
of results and events and their schema, the arrays of the client, the columns of the CSV and
`GET /api/schema/quantities`. It has names and units only; what computes a quantity says so at its
constant. To add one: append it here, and fill its row in `sampling/quantities.py` of the workers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, Field, create_model

BITS, BITS_SQUARED, PROBABILITY = "bits", "bits^2", "probability"


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that has a value for every trajectory and noise level.

    Attributes:
        name: its key wherever it stands.
        row: its row in a table of moments; published sums are told apart by it, so that rows are
            appended and never moved. The shown have the first rows, in records too.
        unit: BITS, BITS_SQUARED or PROBABILITY.
        title: what an axis calls it; symbol: what a sentence does.
        is_rate: whether it is per unit of ln sigma, and changes with the axis.
        shown: whether every curve has it, with its standard error, and every trajectory's record.
        combined: whether it is also estimated with control variates.
        step_error: whether an estimate of the error of the steps stands beside it.
        anchor: its paragraph in the handbook, page and heading.
    """

    name: str
    row: int
    unit: str
    title: str
    symbol: str = ""
    is_rate: bool = False
    shown: bool = False
    combined: bool = False
    step_error: bool = False
    anchor: str = ""

    @property
    def unit_in_words(self) -> str:
        return f"{self.unit} per unit of ln sigma" if self.is_rate else self.unit


#: -sum_Y p(Y|x) log2 p(Y|x), 0 to the entropy of the prior (numerics/entropy.py).
ENTROPY = Quantity(
    "entropy",
    row=0,
    unit=BITS,
    title="entropy H",
    symbol="H",
    shown=True,
    combined=True,
    step_error=True,
    anchor="measured#entropy",
)
#: -log2 p(Y*|x) of the true group, 0 or more (numerics/entropy.py).
CROSS_ENTROPY = Quantity(
    "cross_entropy",
    row=1,
    unit=BITS,
    title="cross-entropy",
    symbol="cross-entropy",
    shown=True,
    anchor="measured#cross-entropy",
)
#: dH / d ln sigma, by I-MMSE (numerics/production.py).
PRODUCTION = Quantity(
    "production",
    row=2,
    unit=BITS,
    title="production",
    symbol="production",
    is_rate=True,
    shown=True,
    combined=True,
    anchor="measured#production",
)
#: Variance of -log2 p(Y|x) under the posterior itself: what the variance of the gap must be where
#: the sampled labels follow the posterior, rare ones included (numerics/entropy.py).
VARENTROPY = Quantity("varentropy", row=3, unit=BITS_SQUARED, title="varentropy")
#: Posterior mass of the labels that pruning has given up, 0 to 1 (sampling/pruning.py).
DROPPED = Quantity(
    "dropped", row=4, unit=PROBABILITY, title="pruned mass", anchor="measured#pruning"
)
#: At the root of a tree, 0 elsewhere: H of the leaves less that of the root and of every decision
#: inside which the trajectory's own label lies (sampling/chain_rule.py).
CHAIN = Quantity("chain", row=5, unit=BITS, title="residual of the chain rule")
#: Variance of that residual under the posterior, as VARENTROPY is that of the gap.
CHAIN_VARIANCE = Quantity(
    "chain_variance", row=6, unit=BITS_SQUARED, title="variance of that residual"
)
#: Cross-entropy less entropy, of mean 0 on the model's own paths.
GAP = Quantity("gap", row=7, unit=BITS, title="cross-entropy less entropy")
#: M_k = H_k - H_0 + integral of production: of mean 0 up to the error of the steps (sampling/
#: curve_table.py).
MISSED = Quantity("missed", row=8, unit=BITS, title="entropy missed by the integral of production")
#: H_k - H_{k-1}, 0 or less on average on the model's own paths.
RISE = Quantity("rise", row=9, unit=BITS, title="rise of the entropy from the level before")

#: All of them, by row.
QUANTITIES = (
    ENTROPY,
    CROSS_ENTROPY,
    PRODUCTION,
    VARENTROPY,
    DROPPED,
    CHAIN,
    CHAIN_VARIANCE,
    GAP,
    MISSED,
    RISE,
)
BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}
#: Those of every curve, and of every trajectory that a record keeps.
SHOWN = tuple(quantity for quantity in QUANTITIES if quantity.shown)
#: Those that control variates are for.
COMBINED = tuple(quantity for quantity in QUANTITIES if quantity.combined)

#: What the sums of data paths hold besides, with rows of their own (curves/calibration.py): how
#: often the likeliest group is the true one; gap, entropy and cross-entropy corrected by the
#: half-path.
CALIBRATED = tuple(
    Quantity(name, row, unit, title, anchor="measured#calibration")
    for row, (name, unit, title) in enumerate(
        (
            ("accuracy", PROBABILITY, "share of right answers"),
            ("gap", BITS, "cross-entropy less entropy"),
            ("entropy_corrected", BITS, "entropy, corrected for the steps"),
            ("cross_entropy_corrected", BITS, "cross-entropy, corrected for the steps"),
            ("gap_corrected", BITS, "gap, corrected for the steps"),
        )
    )
)


#: Stands for a column that earlier results have nothing for.
UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One array over the noise levels of a curve in a result, in the unit of its quantity.

    Attributes:
        plain: the column that stands for it in results of versions that had none, where there
            were such; UNKNOWN where none does; None where every result has it.
    """

    name: str
    quantity: Quantity
    title: str
    plain: str | None = None

    @property
    def description(self) -> str:
        """What it is, with its unit."""
        return f"{self.title[0].upper()}{self.title[1:]} ({self.quantity.unit_in_words})"


def mean_and_error(quantities: Iterable[Quantity], suffix: str = "") -> tuple[Column, ...]:
    """Return the columns of the mean and of its standard error of each quantity."""
    return tuple(
        Column(
            f"{quantity.name}{suffix}{end}",
            quantity,
            f"{text}{quantity.title}{', with control variates' if suffix else ''}",
            f"{quantity.name}{end}" if suffix else None,
        )
        for quantity in quantities
        for end, text in (("", ""), ("_se", "standard error of "))
    )


def _columns() -> Iterable[Column]:
    for quantity in SHOWN:
        yield from mean_and_error([quantity])
        if quantity.step_error:
            title = f"size of the error of the steps of {quantity.title}"
            yield Column(f"{quantity.name}_step_error", quantity, title)
    yield from mean_and_error(COMBINED, "_combined")
    for quantity in COMBINED:
        title = f"what steps, sigma_max and pruning may have left in the combined {quantity.title}"
        plain = f"{quantity.name}_step_error" if quantity.step_error else UNKNOWN
        yield Column(f"{quantity.name}_combined_step_error", quantity, title, plain)


#: The arrays of every curve of a result, in their order.
COLUMNS = tuple(_columns())
#: Those of a pruned curve, under "pruning".
PRUNING = (
    Column("dropped", DROPPED, "mean posterior mass of the labels that were dropped"),
    Column("entropy_bound", ENTROPY, "most that pruning may have moved the entropy by"),
)

Model = TypeVar("Model", bound=BaseModel)


def with_columns(
    columns: Iterable[Column], kind: Any, after: str | None = None
) -> Callable[[type[Model]], type[Model]]:
    """Return a class decorator that gives a pydantic model a field for each column.

    The model may have fields and a docstring, and nothing else.

    Args:
        kind: the type of the fields; columns that older results lack may be None.
        after: the model's field that they stand behind; None puts them first.
    """
    added: dict[str, Any] = {}
    for column in columns:
        missing: dict[str, Any] = {} if column.plain is None else {"default": None}
        field = Field(description=column.description, **missing)
        added[column.name] = (kind | None if missing else kind, field)

    def decorate(model: type[Model]) -> type[Model]:
        fields = {} if after is not None else dict(added)
        for name, field in model.model_fields.items():
            fields[name] = (field.annotation, field)
            if name == after:
                fields |= added
        made: type[Any] = create_model(
            model.__name__, __doc__=model.__doc__, __module__=model.__module__, **fields
        )
        return made

    return decorate
