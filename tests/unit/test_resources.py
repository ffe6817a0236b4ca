from __future__ import annotations

import pytest

from tests.service import SECRET_KEY
from understudy.errors import UnderstudyError
from understudy.job_queue import ListQueue
from understudy.resources import Resources, open_resources
from understudy.settings import Settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"secret_key": None}, "UNDERSTUDY_SECRET_KEY"),
        ({"secret_key": "short"}, "32 characters"),
        ({"database_url": None}, "UNDERSTUDY_DATABASE_URL"),
        ({"storage_url": "gs://bucket"}, "gs"),
    ],
)
def test_error_names_an_invalid_setting(
    settings: Settings, change: dict[str, str | None], message: str
) -> None:
    invalid = Settings(**{**settings.model_dump(), **change})

    with pytest.raises(UnderstudyError) as caught:
        open_resources(invalid, queue=ListQueue())

    assert caught.value.code == "configuration"
    assert message in caught.value.detail


def test_broker_setting_is_required_unless_a_queue_is_given(settings: Settings) -> None:
    with pytest.raises(UnderstudyError) as caught:
        open_resources(settings)
    assert "UNDERSTUDY_REDIS_URL" in caught.value.detail


def test_secret_key_is_not_part_of_the_representation(resources: Resources) -> None:
    assert SECRET_KEY not in repr(resources)
    assert SECRET_KEY not in repr(resources.settings)
