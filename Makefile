# Hotline: `make run` starts it, `make test` tests it. Everything is installed into ./.venv, nothing else is touched.
.PHONY: run test demo check bench lock clean
PY := .venv/bin/python

run:
	@scripts/setup
	@exec $(PY) -m ivr serve

demo:
	@scripts/setup
	@exec $(PY) -m ivr demo

test:
	@scripts/setup test
	@scripts/test

check:
	@scripts/setup test
	@scripts/check

bench:
	@scripts/setup test
	@scripts/bench

lock:
	@scripts/lock

clean:
	rm -rf .venv .tools
