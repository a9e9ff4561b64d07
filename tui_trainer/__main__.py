"""`tui-trainer` and `python -m tui_trainer`."""


def main() -> None:
    from tui_trainer.cli import run

    run()


if __name__ == "__main__":
    main()
