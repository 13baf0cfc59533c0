"""HTTP for programs, in the control process: what people do by `ivr ...`, by tokens with roles."""
