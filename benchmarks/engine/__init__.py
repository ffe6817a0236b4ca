"""Speed, memory, size and quality of the synthesizers, compared with baselines and peers.

A run consists of a table, a contestant and a seed. It uses two processes: the first fits and samples, so that
its time and peak memory can be measured, and writes a sample; the second judges that sample. Peers write the
same files from separate environments, so all contestants are judged in the same way.
"""
