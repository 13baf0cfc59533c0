"""Who gets which caller: queues, agents, strategies and the decision, pure: no I/O, no clock, no randomness of its own.

`now` (unix seconds) and `draw` (a source of numbers in [0, 1)) come in, values come out. ivr.acdservice* keeps the
state.
"""
