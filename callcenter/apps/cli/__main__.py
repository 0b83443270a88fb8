"""``python -m callcenter.apps.cli``: the command, for processes that we start ourselves."""

from callcenter.apps.cli import main

main()
