"""Runs named checks of a program and says how each went."""
import wire


def status(checks):
    """`checks`: pairs of a name and a function that raises WireError when it does not hold. All are
    run; returns the exit status."""
    failed = 0
    for name, run in checks:
        try:
            run()
            print(f"ok: {name}")
        except wire.WireError as error:
            print(f"FAILED: {name}: {error}")
            failed = 1
    return failed
