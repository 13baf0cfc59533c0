"""What can go wrong in hearing.

AsrError
├── ModelError          code "model_unusable"     the folder is no model of this engine, or cannot be read
├── RecogniserError     code "recogniser_broken"  the engine failed while it was listening
└── UnknownEngineError  code "unknown_engine"     config.toml names an engine that does not exist
"""


class AsrError(Exception):
    """Root of this folder's errors; `code` is for machines, the text for people."""

    code = "asr"


class ModelError(AsrError):
    """The folder is no model of this engine, or cannot be read."""

    code = "model_unusable"


class RecogniserError(AsrError):
    """The engine failed while it was listening."""

    code = "recogniser_broken"


class UnknownEngineError(AsrError):
    """There is no engine of this name."""

    code = "unknown_engine"
