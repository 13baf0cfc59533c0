"""How long each prompt was heard, on the call's sample clock: pauses left out."""

SAMPLES_PER_MS = 8


class PlayTime:
    """Fed with what happens to the prompts of one call; samples are those of the call at 8 kHz."""

    def __init__(self) -> None:
        self._began: dict[int, int] = {}
        self._paused_at: int | None = None

    def began(self, prompt: int, sample: int) -> None:
        """The prompt's first sound went out; pausing is over where one was paused."""
        self.resumed(sample)
        self._began[prompt] = sample

    def paused(self, sample: int) -> None:
        """The prompt that plays fell silent."""
        if self._paused_at is None:
            self._paused_at = sample

    def resumed(self, sample: int) -> None:
        """It went on: the pause counts for nothing."""
        if self._paused_at is not None:
            pause = sample - self._paused_at
            self._began = {prompt: began + pause for prompt, began in self._began.items()}
            self._paused_at = None

    def ended_ms(self, prompt: int, sample: int) -> int:
        """How long it was heard, now that it is over; 0 for one that never began."""
        until = sample if self._paused_at is None else self._paused_at
        return max(until - self._began.pop(prompt, until), 0) // SAMPLES_PER_MS
