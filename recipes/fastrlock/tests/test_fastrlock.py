"""A lock that its holder may take again."""

import threading

from fastrlock.rlock import FastRLock


def test_threads():
    lock, seen = FastRLock(), []

    def work(number):
        for _ in range(200):
            with lock, lock:
                seen.append(number)
                assert seen[-1] == number

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 800
    lock.acquire()
    assert lock._is_owned()
