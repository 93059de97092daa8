"""The labels of Fashion-MNIST, and the decisions among them that a person would name."""

from entroscope.protocol.partitions import Group, Preset

LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SHIRTS, LAYERS = ("T-shirt/top", "Shirt"), ("Pullover", "Coat")
FOOTWEAR = ("Sandal", "Sneaker", "Ankle boot")


def _each(*labels: str) -> list[Group]:
    """Return every label as a group of its own."""
    return [Group(name=label, labels=[label]) for label in labels]


_TOPS = [
    Group(name="shirts", groups=_each(*SHIRTS)),
    Group(name="layers", groups=_each(*LAYERS)),
    Group(name="dress", labels=["Dress"]),
]
_KINDS = [
    Group(name="tops", groups=_TOPS),
    Group(name="trousers", labels=["Trouser"]),
    Group(name="footwear", groups=_each(*FOOTWEAR)),
    Group(name="bag", labels=["Bag"]),
]
PRESETS = (
    Preset(name="kinds", title="kinds of garments, then each", partition=_KINDS),
    Preset(name="tops", title="tops and dress", partition=_each(*SHIRTS, *LAYERS, "Dress")),
    Preset(name="footwear", title="footwear", partition=_each(*FOOTWEAR)),
)
