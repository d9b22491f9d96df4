"""`python -m monitor` is `exowatch`."""

from monitor.cli import main

if __name__ == "__main__":
    main()
