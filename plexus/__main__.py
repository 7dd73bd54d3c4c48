"""`python -m plexus`: the library's commands."""

from plexus.commands import main

if __name__ == "__main__":
    main()
