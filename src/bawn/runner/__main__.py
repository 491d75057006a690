"""`python -m bawn.runner FD`: how the supervisor starts the runner."""

from bawn.runner.process import main

if __name__ == "__main__":
    main()
