"""The broker by files: messages between site, scheduler and worker where there is no Redis."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

TRANSPORT = "sphinx.core.file_broker:Transport"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "control").mkdir()
    return tmp_path


def channel_on(folder: Path) -> Any:
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
    }
    return Connection("x", transport=TRANSPORT, transport_options=options).channel()


def test_a_message_is_read_whole_while_others_are_being_written(folder: Path) -> None:
    many = 400
    reader = channel_on(folder)

    def write(writer: int) -> None:
        channel = channel_on(folder)
        for number in range(many):
            channel._put("documents", [writer, number])

    def read() -> list[list[int]]:
        messages: list[list[int]] = []
        while len(messages) < 2 * many:
            try:
                messages.append(reader._get("documents"))
            except Empty:
                continue
        return messages

    with ThreadPoolExecutor(3) as together:
        writing = [together.submit(write, writer) for writer in range(2)]
        read_ones = together.submit(read).result(timeout=60)
        for written in writing:
            written.result()

    for writer in range(2):
        # In the order in which they were sent.
        assert [n for w, n in read_ones if w == writer] == list(range(many))
    assert [path.name for path in folder.iterdir()] == ["control"]


def test_two_workers_never_read_the_same_message(folder: Path) -> None:
    channel = channel_on(folder)
    for number in range(200):
        channel._put("documents", number)

    def read(worker: Any) -> list[int]:
        numbers = []
        while True:
            try:
                numbers.append(worker._get("documents"))
            except Empty:
                return numbers

    with ThreadPoolExecutor(2) as workers:
        first, second = workers.map(read, [channel_on(folder), channel_on(folder)])

    assert sorted(first + second) == list(range(200))


def test_a_message_cut_short_is_left_aside_and_the_next_one_is_read(folder: Path) -> None:
    (folder / "1_cut.documents.msg").touch()
    channel = channel_on(folder)
    channel._put("documents", "whole")

    assert channel._get("documents") == "whole"
    with pytest.raises(Empty):
        channel._get("documents")
    # Nothing is thrown away that somebody may want to look at.
    assert (folder / "1_cut.documents.msg.taken").exists()


def test_each_queue_has_its_own_messages(folder: Path) -> None:
    channel = channel_on(folder)
    channel._put("feeds", "a feed")

    with pytest.raises(Empty):
        channel._get("documents")
    assert channel._get("feeds") == "a feed"


def test_scheduler_and_worker_may_declare_their_queues_at_the_same_time(folder: Path) -> None:
    def declare(process: int) -> None:
        channel = channel_on(folder)
        for number in range(40):
            channel._queue_bind("documents", f"{process}-{number}", "", f"{process}-{number}")
            channel.get_table("documents")

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(declare, range(4)))

    assert len(channel_on(folder).get_table("documents")) == 160
