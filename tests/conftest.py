"""For all tests: those that need a program that is not here are left out, and say so."""

import os
import shutil

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Carries out `needs(program, ...)`; "root" is no program but the user."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if program == "root":
                if os.geteuid() != 0:
                    pytest.skip("only root can do this")
            elif shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
                pytest.skip(f"{program} is not installed")
