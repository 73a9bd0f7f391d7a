"""Machines of a test's own, that it may take away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apart import environment as apart
from tests.support.machines import Postgres, Redis, connected_to, own_postgres, own_redis


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def postgres(cluster: Postgres, transactional_db: None) -> Iterator[Postgres]:
    """The test's database lies on a cluster that the test may stop."""
    with connected_to(cluster):
        yield cluster


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def environment(redis: Redis, tmp_path: Path) -> dict[str, str]:
    """What workers, beats and other processes of this firm are started with."""
    return apart(
        tmp_path / "data",
        REDIS_URL=redis.url,
        DEBUG="1",
        LOG_LEVEL="INFO",
        SPHINX_BEAT_SECONDS="2",
        SPHINX_RETRY_SECONDS="1",
        EMAIL_URL=f"filemail:///{tmp_path}/mails",
    )
