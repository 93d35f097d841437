"""Serves a GGUF file by llama.cpp's server on a free port of this machine until standard input ends.

Usage: PYTHONPATH=$(scripts/chat-server.sh)/lib python3 scripts/chat-server.py FILE.gguf
The first line of standard output is the address.
"""

import sys

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.n_ctx = 8192
parameters.n_parallel = 4
# With more, llama.cpp's threads wait for one another by spinning: a busy machine then takes seconds for a token.
parameters.cpuparams.n_threads = 1
parameters.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
