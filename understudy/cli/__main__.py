"""Entry point of `python -m understudy.cli`, which is equivalent to the console script."""

from understudy.cli import main

main()
