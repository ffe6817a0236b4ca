"""Speed, memory, size and quality of the synthesizers, beside baselines and peers.

One table, one contestant and one seed are one run. A run is two processes: one fits and samples (so that its
time and peak memory are its own) and leaves a sample behind; another judges that sample. Peers leave the same
files behind from environments of their own, so all are judged alike.
"""
