"""The tables. Times are Unix seconds; `seq` is the number of the event in the call's bundle."""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("call_id", sa.String(40), primary_key=True),
    sa.Column("started", sa.Double, nullable=False),
    sa.Column("ended", sa.Double),
    sa.Column("caller", sa.Text, nullable=False),
    sa.Column("called", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("codec", sa.Text, nullable=False),
    sa.Column("sip_call_id", sa.Text, nullable=False),
    sa.Column("termination", sa.Text, nullable=False),
    sa.Column("ended_by", sa.Text, nullable=False),
    sa.Column("length_s", sa.Double, nullable=False),
    sa.Column("turns", sa.Integer, nullable=False),
    sa.Column("latency_median_ms", sa.Double),
    sa.Column("latency_max_ms", sa.Double),
    # True once every row was read from the sealed bundle; rows that came over the bus never replace those.
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Index(None, "started"),
    sa.Index(None, "caller", "started"),
)


def _call_id() -> sa.Column[str]:
    return sa.Column("call_id", sa.ForeignKey("calls.call_id", ondelete="CASCADE"), primary_key=True)


legs = sa.Table(
    "legs",
    metadata,
    _call_id(),
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("rate_hz", sa.Integer, nullable=False),
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("lost_samples", sa.BigInteger, nullable=False),
)

utterances = sa.Table(
    "utterances",
    metadata,
    _call_id(),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("start_s", sa.Double, nullable=False),
    sa.Column("end_s", sa.Double, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("confidence", sa.Double),
)

events = sa.Table(
    "events",
    metadata,
    _call_id(),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sample", sa.BigInteger),
    sa.Column("wall", sa.Double, nullable=False),
    sa.Column("leg", sa.Text),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index(None, "kind", "wall"),
)
