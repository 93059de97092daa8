"""An interpreter of pickles that knows containers, numbers and strings, and a table of names.

Python's own would import whatever a pickle names and call it. Here a name is a name: what is in the
table may be "called", which means that a function of ours gets the arguments; everything else is
refused by its full name. Nothing recurses, so depth costs nothing; steps and bytes are counted.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Protocol, runtime_checkable

#: A published file has some ten thousand steps.
MOST_STEPS = 5_000_000
#: Characters of a complaint.
LONGEST = 160
_KEYS = (str, int, float, bytes, type(None))
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_FRESH: dict[str, type] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
_LITERALS = frozenset(
    """INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING
    BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    """.split()
)

Call = Callable[..., Any]


class Refused(ValueError):
    """A pickle wants something that data do not need."""

    def __init__(self, what: str) -> None:
        # What is named comes from the file: no line breaks, nothing a terminal would obey.
        said = what.encode("unicode_escape").decode("ascii")
        super().__init__(f"refused: {said[:LONGEST]}")


@runtime_checkable
class HasState(Protocol):
    """An inert object that a pickle may give a state; it only keeps it."""

    def keep(self, state: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Name:
    """What a pickle calls by its name: never imported."""

    full: str


class Allowance:
    """How much a pickle may still cost."""

    def __init__(self, size: int) -> None:
        """Args: size: of the whole file, in bytes; what is made of it may not be larger."""
        self._steps, self._bytes = MOST_STEPS, size

    def step(self) -> None:
        """Count one step."""
        self._steps -= 1
        if self._steps < 0:
            raise Refused(f"more than {MOST_STEPS:,} steps")

    def spend(self, size: int) -> None:
        """Count bytes that are made anew."""
        self._bytes -= size
        if self._bytes < 0:
            raise Refused("contents larger than the file")


class Machine:
    """Reads one pickle from a stream and leaves the stream behind its end.

    Args:
        calls: what each name allowed does when it is called; None: it may only be mentioned.
        persistent: what a persistent id stands for; None: there may be none.
    """

    def __init__(
        self,
        stream: IO[bytes],
        calls: Mapping[str, Call | None],
        allowance: Allowance,
        persistent: Call | None = None,
    ) -> None:
        self._stream, self._calls, self._allowance = stream, calls, allowance
        self._persistent = persistent
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def read(self) -> Any:
        """Return what the pickle holds.

        Raises:
            ValueError: it is not a whole pickle (Refused: it is more than data).
        """
        try:
            for opcode, argument, _ in pickletools.genops(self._stream):
                self._allowance.step()
                self._do(opcode.name, argument)
            (result,) = self._stack
        except Refused:
            raise
        except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"not a whole pickle: {error}") from error
        return result

    def _do(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _FRESH:
            self._stack.append(_FRESH[name]())
        elif name in ("PROTO", "FRAME", "STOP"):
            return
        elif handler := getattr(self, f"_op_{name.lower()}", None):
            handler(argument)
        else:
            raise Refused(f"the instruction {name}")

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _last(self, count: int) -> list[Any]:
        """Take the last values off the stack, in the order they came."""
        if count > len(self._stack):
            raise IndexError("a value is missing")
        items = self._stack[-count:]
        del self._stack[-count:]
        return items

    def _op_mark(self, argument: None) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _op_pop(self, argument: None) -> None:
        self._stack.pop() if self._stack else self._since_mark()

    def _op_pop_mark(self, argument: None) -> None:
        self._since_mark()

    def _op_dup(self, argument: None) -> None:
        self._stack.append(self._stack[-1])

    def _op_put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    _op_binput = _op_long_binput = _op_put

    def _op_memoize(self, argument: None) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _op_get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    _op_binget = _op_long_binget = _op_get

    def _op_tuple(self, argument: None) -> None:
        items = self._since_mark()
        self._stack.append(tuple(items))

    def _op_tuple1(self, argument: None) -> None:
        self._stack.append(tuple(self._last(1)))

    def _op_tuple2(self, argument: None) -> None:
        self._stack.append(tuple(self._last(2)))

    def _op_tuple3(self, argument: None) -> None:
        self._stack.append(tuple(self._last(3)))

    def _op_list(self, argument: None) -> None:
        items = self._since_mark()
        self._stack.append(items)

    def _op_dict(self, argument: None) -> None:
        items = self._since_mark()
        self._stack.append(_with_pairs({}, items))

    def _op_frozenset(self, argument: None) -> None:
        items = self._since_mark()
        self._stack.append(frozenset(map(_key, items)))

    def _op_append(self, argument: None) -> None:
        (item,) = self._last(1)
        _exactly(list, self._stack[-1]).append(item)

    def _op_appends(self, argument: None) -> None:
        items = self._since_mark()
        _exactly(list, self._stack[-1]).extend(items)

    def _op_setitem(self, argument: None) -> None:
        pair = self._last(2)
        _with_pairs(_exactly(dict, self._stack[-1]), pair)

    def _op_setitems(self, argument: None) -> None:
        items = self._since_mark()
        _with_pairs(_exactly(dict, self._stack[-1]), items)

    def _op_additems(self, argument: None) -> None:
        items = self._since_mark()
        _exactly(set, self._stack[-1]).update(map(_key, items))

    def _op_global(self, argument: str) -> None:
        self._stack.append(self._named(*argument.split(" ", 1)))

    def _op_inst(self, argument: str) -> None:
        self._op_global(argument)
        raise Refused("the instruction INST")

    def _op_stack_global(self, argument: None) -> None:
        module, name = self._last(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError("a name that is no text")
        self._stack.append(self._named(module, name))

    def _named(self, module: str, name: str) -> Name:
        full = f"{_OLD_MODULES.get(module, module)}.{name}"
        if full not in self._calls:
            raise Refused(full)
        return Name(full)

    def _op_reduce(self, argument: None) -> None:
        called, arguments = self._last(2)
        self._stack.append(self._called(called, arguments))

    _op_newobj = _op_reduce

    def _op_newobj_ex(self, argument: None) -> None:
        called, arguments, named = self._last(3)
        if named != {}:
            raise Refused("a call with named arguments")
        self._stack.append(self._called(called, arguments))

    def _called(self, called: Any, arguments: Any) -> Any:
        if not isinstance(called, Name):
            raise Refused(f"a call of a {type(called).__name__}")
        call = self._calls[called.full]
        if call is None:
            raise Refused(f"a call of {called.full}")
        return call(*_exactly(tuple, arguments))

    def _op_build(self, argument: None) -> None:
        (state,) = self._last(1)
        target = self._stack[-1]
        if isinstance(target, HasState):
            target.keep(state)
        elif type(target) is not dict:  # attributes of a container are no part of its contents
            raise Refused(f"a state for a {type(target).__name__}")

    def _op_binpersid(self, argument: None) -> None:
        if self._persistent is None:
            raise Refused("the instruction BINPERSID")
        (identity,) = self._last(1)
        self._stack.append(self._persistent(identity))


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected a {kind.__name__}, found a {type(value).__name__}")
    return value


def _key(value: Any) -> Any:
    """Return a value that may be a key: hashing a tuple recurses, as deep as a file likes."""
    if not isinstance(value, _KEYS):
        raise Refused(f"a {type(value).__name__} as a key")
    return value


def _with_pairs(target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    target.update(zip(map(_key, items[::2]), items[1::2], strict=True))
    return target
