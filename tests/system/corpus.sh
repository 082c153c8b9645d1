#!/bin/sh
# What weir says of real captures beside what other programs say of them; see tests/corpus/run.
exec "$WEIR_SOURCE/tests/corpus/run"
