"""The same as the console script: `python -m understudy.cli`."""

from understudy.cli import main

main()
