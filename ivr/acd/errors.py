"""What ivr.acd raises.

AcdError             code "acd"
  RefusedError       code "agent.refused"    the agent's state does not allow this
  EmptyRuleError     code "queue.empty_rule" a word of joinempty or leavewhenempty is unknown (a ValueError)
"""


class AcdError(Exception):
    """Root of everything that ivr.acd raises."""

    code = "acd"


class RefusedError(AcdError):
    """An agent cannot do this now; the text says what would be possible."""

    code = "agent.refused"


class EmptyRuleError(AcdError, ValueError):
    """joinempty or leavewhenempty has a word that app_queue does not know. A ValueError for pydantic's sake."""

    code = "queue.empty_rule"
