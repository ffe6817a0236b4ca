"""Speed, memory, size and quality of the synthesizers, compared with baselines and peers.

A run consists of a table, a contestant and a seed. A run uses two processes. The first process fits the
synthesizer and writes a sample, so that its time and peak memory can be measured. The second process judges
that sample. Peers write the same files from separate environments, so all contestants are judged in the same
way.
"""
