"""What models would have a user know while a run goes on, each said once: who is waited for, and why."""

from collections.abc import Callable, Mapping


class Notices:
    """Shows notices as they come and go."""

    def __init__(self, current: Callable[[], Mapping[str, str]], show: Callable[[str], None]) -> None:
        """``current``: the notices that hold now, by what they are about; ``show``: shows a line to the user."""
        self._current, self._show = current, show
        self._shown: Mapping[str, str] = {}

    def look(self) -> tuple[str, ...]:
        """Show what is new, and what is over; returns the notices that hold now."""
        now = dict(self._current())
        for about, text in now.items():
            if about not in self._shown:
                self._show(text)
        for about in self._shown:
            if about not in now:
                self._show(f"{about}: it goes on")
        self._shown = now
        return tuple(now.values())
