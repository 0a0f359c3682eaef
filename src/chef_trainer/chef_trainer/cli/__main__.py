"""python -m chef_trainer.cli."""

from chef_trainer.cli import main

main()
