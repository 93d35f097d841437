#!/usr/bin/env bash
# Installs what others' programs need, once, into the user's cache, and prints the Python that has it: PyTorch, transformers, peft, SAELens, and
# llama.cpp as the package xllamacpp carries it. Some 2 GB.
set -euo pipefail
folder=${XDG_CACHE_HOME:-$HOME/.cache}/culprit-peers/1
if [ ! -f "$folder/done" ]; then
  python3 -m venv "$folder" >&2
  "$folder/bin/pip" install -q --disable-pip-version-check \
    'torch>=2.15,<3' 'transformers>=5.24,<6' 'peft>=0.21,<1' 'gguf>=0.19' 'sae-lens>=6,<7' 'xllamacpp==2026.10.11549' >&2
  touch "$folder/done"
fi
echo "$folder/bin/python"
