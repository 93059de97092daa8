"""Groups of labels, nested or not, and the partitions made of them, as they are sent."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from entroscope.protocol.strict import Strict

#: As long as a prompt may be.
Name = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Label = Name | Annotated[int, Field(ge=0)]


class Group(Strict):
    """A named group: of labels, or of groups among which a decision is made inside it."""

    name: Name
    """What the group is called in curves and legends; groups beside each other differ in it."""

    labels: Annotated[list[Label], Field(min_length=1, max_length=100_000)] | None = None
    """The labels of the group, by name or by index from 0; a label is in one group only."""

    groups: Annotated[list["Group"], Field(max_length=4096)] | None = None
    """Groups instead of labels, two or more: which of them is a decision of its own."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.labels is None) == (self.groups is None):
            those = "neither" if self.labels is None else "both"
            raise ValueError(f"a group has either labels or groups, {self.name!r} has {those}")
        return self

    @model_serializer(mode="wrap")
    def _without_the_other(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}


Groups = Annotated[list[Group], Field(max_length=4096)]
EACH_VS_REST = "each-vs-rest"


class Each(Strict):
    """Each of some labels against the rest, which is all others; "each-vs-rest" is each of all."""

    each: Annotated[list[Label], Field(min_length=1, max_length=100_000)]
    """The labels that are set against all others, by name or by index from 0."""


Partition = Literal["each-vs-rest"] | Each | Groups | None


def is_each_vs_rest(partition: Partition) -> bool:
    """Return whether a partition sets single labels against the rest."""
    return partition == EACH_VS_REST or isinstance(partition, Each)


class Preset(BaseModel):
    """A partition worth measuring, offered with a model; `name` is that of the partition."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    title: str
    partition: Groups
