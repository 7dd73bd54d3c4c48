"""`python -m plexus`: the commands of the scoring library."""

from plexus.commands import main

if __name__ == "__main__":
    main()
