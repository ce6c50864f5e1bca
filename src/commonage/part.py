# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false
"""A part is a frozen dataclass: its fields are its only configuration, and it is a pytree.

Fields marked `static` shape the arrays and are compiled in; all others are leaves, so a grid of
twenty fines compiles once.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast, dataclass_transform

import jax

from commonage.errors import SpecError


def static(default: Any = dataclasses.MISSING) -> Any:
    """A field on which a shape, a loop or a word depends: it is compiled in. Type checkers want `default=` by name."""
    return dataclasses.field(default=default, metadata={"static": True})


@dataclass_transform(frozen_default=True, field_specifiers=(static, dataclasses.field))
class Part:
    """Base of games, mechanisms and policies. A subclass becomes a frozen dataclass and a pytree."""

    version: ClassVar[int] = 1  # of its rules; goes into the header as name@version
    compiles: ClassVar[bool] = True  # False: plain Python, which runs as it is, one step of one match at a time
    aliases: ClassVar[tuple[str, ...]] = ()
    origin: ClassVar[str] = ""  # the path by which a user's own file was found: in the log it goes by that
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]  # a subclass has them

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True)(cls)
        _register(cls)
        for field in dataclasses.fields(cls):  # as text, whether or not the file postpones its annotations
            field.type = field.type if isinstance(field.type, str) else inspect.formatannotation(field.type)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _plain(field.type, getattr(self, field.name)))
        if all(isinstance(leaf, (int, float)) for leaf in jax.tree.leaves(self)):  # not inside jit
            self.check()

    def check(self) -> None:
        """Raise SpecError when the fields break a rule. Called on construction with plain values."""

    def require(self, rule: bool, field: str, says: str) -> None:
        """Raise unless `rule` holds: `commons(seats=1): seats must be at least 2`."""
        if not rule:
            raise SpecError(f"{self.name}({field}={getattr(self, field)!r}): {field} must be {says}")

    def reads(self) -> tuple[str, ...]:
        """The users' files that its fields name; the log keeps a hash of each."""
        return ()

    @property
    def name(self) -> str:
        """The class's name in snake case, which is also its file's name."""
        return snake(type(self).__name__)


def _register(cls: type[Part]) -> None:
    """Make the class a pytree whose structure names the class.

    `jax.tree_util.register_dataclass` does not compare the classes of two structures (jax 0.10), so that
    jit would now and then run one policy's compiled code for another.
    """
    fields = dataclasses.fields(cls)
    statics = tuple(field.name for field in fields if field.metadata.get("static"))
    leaves = tuple(field.name for field in fields if not field.metadata.get("static"))
    keys: tuple[Any, ...] = tuple(jax.tree_util.GetAttrKey(name) for name in leaves)

    def flatten(part: Part) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(getattr(part, name) for name in leaves), (cls, *(getattr(part, name) for name in statics))

    def flatten_with_keys(part: Part) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        children, compiled_in = flatten(part)
        return tuple(zip(keys, children, strict=True)), compiled_in

    def unflatten(compiled_in: tuple[Any, ...], children: Iterable[Any]) -> Part:
        part = object.__new__(cls)  # no check: the leaves may be tracers, axes, or whatever jax puts there
        for name, value in (*zip(statics, compiled_in[1:], strict=True), *zip(leaves, children, strict=True)):
            object.__setattr__(part, name, value)
        return part

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)  # pyright: ignore[reportUnknownMemberType]


def bound(function: Callable[..., Any], *parts: Part) -> Callable[..., Any]:
    """`function(*parts, ...)`: compiled, or as it is where a part is plain Python."""
    return compiled(function, *parts) if all(part.compiles for part in parts) else functools.partial(function, *parts)


def compiled(function: Callable[..., Any], *parts: Any) -> Callable[..., Any]:
    """`function(*parts, ...)` compiled, with the parts taken apart once instead of at every call."""
    leaves, structure = jax.tree.flatten(parts)
    return functools.partial(_compiled(function, structure), [jax.numpy.asarray(leaf) for leaf in leaves])


@functools.cache
def _compiled(function: Callable[..., Any], structure: Any) -> Callable[..., Any]:
    return jax.jit(lambda leaves, *rest: function(*jax.tree.unflatten(structure, leaves), *rest))


def _plain(kind: Any, value: Any) -> Any:
    """3 and 3.0 are one configuration, and one compilation."""
    if kind == "tuple[float, ...]" and isinstance(value, tuple):
        return tuple(_plain("float", item) for item in cast("tuple[Any, ...]", value))
    return float(value) if kind == "float" and type(value) is int else value


@functools.cache
def snake(name: str) -> str:
    """`TitForTat` -> `tit_for_tat`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
