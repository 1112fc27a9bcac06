"""`python -m costopt` and the `costopt` command."""

from costopt.cli import main

if __name__ == "__main__":
    main()
