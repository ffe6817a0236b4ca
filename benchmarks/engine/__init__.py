"""Speed, memory, size and quality of the synthesizers, compared with baselines and peers.

A run consists of a table, a contestant and a seed. It uses two processes. The first fits the synthesizer and
writes a sample, so that its time and peak memory can be measured. The second judges that sample. Peers write
the same files from separate environments, so all contestants are judged in the same way.
"""
