"""``python -m dio_mc``."""

from dio_mc.cli import main

if __name__ == "__main__":
    main()
