"""A process that writes in many threads until it is killed: `python -m tests.contract.store.busy URL`.

It says the name of each row after it was told that the row is kept.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from sqlalchemy import insert

from keyturn.adapters.store.engine import open_engines
from keyturn.adapters.store.schema import client_keys
from keyturn.adapters.store.turns import Turns

THREADS = 16


def main(url: str) -> None:
    turns = Turns(open_engines(url).writing)

    def work(thread: int) -> None:
        for number in count():
            name = f"{thread}-{number}"
            with turns.take() as connection:
                connection.execute(insert(client_keys).values(verify_key=name.encode(), counter=0))
            os.write(sys.stdout.fileno(), f"{name}\n".encode())

    with ThreadPoolExecutor(THREADS) as hands:
        list(hands.map(work, range(THREADS)))


if __name__ == "__main__":
    main(sys.argv[1])
