#!/usr/bin/env bash
# Installs an OpenAI-compatible server for the test of the chat judge, once, into the user's cache, and prints its folder: llama.cpp's own server,
# as the Python package xllamacpp carries it (34 MB, no compiler). --check installs nothing, and fails where it is absent.
set -euo pipefail
version=2026.10.11549
folder=${XDG_CACHE_HOME:-$HOME/.cache}/culprit-chat-server/$version
if [ ! -d "$folder" ]; then
  if [ "${1:-}" = --check ]; then exit 1; fi
  mkdir -p "$(dirname "$folder")"
  made=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$made"' EXIT
  for try in 1 2 3; do
    python3 -m pip install -q --no-deps --only-binary :all: --disable-pip-version-check --root-user-action ignore \
      --target "$made/lib" "xllamacpp==$version" >&2 && break
    if [ "$try" = 3 ]; then exit 1; fi
    sleep 3
  done
  PYTHONPATH=$made/lib python3 -c 'import xllamacpp'
  [ -d "$folder" ] || mv "$made" "$folder"
fi
echo "$folder"
