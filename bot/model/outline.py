"""Several lines as a tree: indentation, bullets and numbers say what hangs under what."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from bot.model.group_line import NewGroup, literally, read_group, shown
from bot.model.keywords import COMMANDS
from bot.model.lines import MAX_GROUPS, Line, read_lines, with_numbers_read
from bot.model.names import Parent, ParentName, UsageError, clean_name, fold


def outline(text: str, commands: Collection[str] = COMMANDS) -> tuple[NewGroup, ...]:
    """Read one group a line; a line that is indented further than one before it is a group under that one.

    Below a first line without a bullet, lines with one are its subgroups also where they are not indented. Raises
    UsageError, with the `line` of several.
    """
    return outline_of(read_lines(text, commands), text)


def form_line(name: str) -> str:
    """Return a name as it is filled into the form: in quotes where the form would read another name without them."""
    try:
        plain = outline(name) == (NewGroup(name),)
    except UsageError:
        plain = False
    return name if plain or not name else literally(name)


def as_outline(groups: Iterable[NewGroup]) -> str:
    """Return groups as a text that `outline` reads as the same groups, with names in quotes where that is needed."""
    groups, text = tuple(groups), ""
    for show in (form_line, literally):
        text = "\n".join(_lines(groups, show))
        with contextlib.suppress(UsageError):
            if outline(text) == groups:
                break
    return text


def _lines(groups: tuple[NewGroup, ...], show: Callable[[str], str]) -> Iterator[str]:
    depths: list[int] = []
    for group in groups:
        depths.append(0 if group.above is None else depths[group.above] + 1)
        yield f"{'  ' * depths[-1]}{show(group.name)} {shown(group.parent)}".rstrip()


def outline_of(lines: list[Line], text: str, parent: Parent = None) -> tuple[NewGroup, ...]:
    """Return the groups of the lines of a text, as `outline` does; no line may name another parent than `parent`."""
    try:
        return _tree(lines, parent)
    except UsageError as error:
        error.line = error.line if several(text) else None
        raise


def several(text: str) -> bool:
    """Tell whether something stands on more than one line."""
    return sum(not line.isspace() for line in text.splitlines() if line) > 1


def form_groups(text: str, parent: Parent, commands: Collection[str] = COMMANDS) -> tuple[NewGroup, ...]:
    """Read the form's name field, whose groups of the first level go under `parent` unless a line names another.

    Raises UsageError: also for no group at all, and for a line whose parent contradicts the form's.
    """
    groups = outline_of(read_lines(text, commands), text, parent) or (NewGroup(clean_name("")),)
    return tuple(replace(group, parent=group.parent or parent) if group.above is None else group for group in groups)


def _tree(lines: list[Line], parent: Parent) -> tuple[NewGroup, ...]:
    """Return the groups of lines, each under the nearest line above it that is indented less. Raises UsageError."""
    groups: list[NewGroup] = []
    levels: list[tuple[int, int]] = []  # indentation and index of the lines above the present one
    seen: set[tuple[int | None, str, str]] = set()
    lines = _under_headings(with_numbers_read(lines))
    for place, line in enumerate(lines):
        try:
            levels = _levels(levels, line)
            group = replace(_group(line, lines[place + 1 : place + 2]), above=levels[-1][1] if levels else None)
            _refuse(group, line, seen, len(groups))
            if parent and group.parent and _parent_key(group.parent) != _parent_key(parent):
                raise UsageError("second_parent", part=shown(group.parent))
        except UsageError as error:
            error.line = line.number
            raise
        levels.append((line.indent, len(groups)))
        groups.append(group)
    return tuple(groups)


def _group(line: Line, following: list[Line]) -> NewGroup:
    """Read a line; the colon behind a heading is not part of its name."""
    if line.error:
        raise line.error
    heads = following and following[0].indent > line.indent
    return read_group(line.content.rstrip(" :：") or line.content if heads else line.content)


def _refuse(group: NewGroup, line: Line, seen: set[tuple[int | None, str, str]], made: int) -> None:
    """Refuse a group that cannot stand where it does; else add it to what was seen."""
    if group.above is not None and group.parent:
        raise UsageError("parent_below", part=line.content)
    same = (group.above, _parent_key(group.parent), fold(group.name))
    if same in seen:
        raise UsageError("twice", part=group.name)
    if made == MAX_GROUPS:
        raise UsageError("too_many_lines", most=str(MAX_GROUPS))
    seen.add(same)


def _under_headings(lines: list[Line]) -> list[Line]:
    """Indent lists below the lines without a bullet that head them, where both begin at the same column.

    That is so when the first line has no bullet and every line without one stands at the left.
    """
    left = min((line.indent for line in lines), default=0)
    heads = [line for line in lines if not line.bulleted]
    if not heads or lines[0].bulleted or any(line.indent != left for line in heads):
        return lines
    return [replace(line, indent=line.indent + line.bulleted) for line in lines]


def _parent_key(parent: Parent) -> str:
    return f"name:{fold(parent.name)}" if isinstance(parent, ParentName) else parent.id if parent else ""


def _levels(levels: list[tuple[int, int]], line: Line) -> list[tuple[int, int]]:
    """Return the lines above one that is indented so far; it must stand below one of them or beside another."""
    above = [level for level in levels if level[0] < line.indent]
    if not line.error and len(above) < len(levels) and levels[len(above)][0] != line.indent:
        raise UsageError("uneven_indent", part=line.content)
    return above
