#!/bin/sh
# Builds client.c with the hiredis whose sources the Python package of that name carries: the library that Debian 12 ships
# is older than hiredis_ssl.
set -eu
cd "$(dirname "$0")"
version=3.5.0
mkdir -p target
[ -f "target/hiredis-$version.tar.gz" ] || python3 -m pip download -q --no-deps --no-binary :all: -d target "hiredis==$version"
tar -xzf "target/hiredis-$version.tar.gz" -C target
lib="target/hiredis-$version/vendor/hiredis"
cc -O1 -g -D_GNU_SOURCE -o target/client -I "$lib" client.c "$lib"/hiredis.c "$lib"/ssl.c "$lib"/net.c "$lib"/read.c "$lib"/sds.c \
  "$lib"/alloc.c "$lib"/async.c "$lib"/sockcompat.c -lssl -lcrypto
