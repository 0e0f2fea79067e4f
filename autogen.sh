#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes configure and Makefile.in out of configure.ac and Makefile.am, for
# whoever builds from a clone by hand.  ./run does the same by itself.
set -eu
cd "$(dirname "$0")"
exec autoreconf --force --install
