"""What a service is given."""

from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from kubus.service import Context, Logger, Settings, SettingsError, SystemClock


@dataclass(frozen=True)
class Own:
    pods_max: int


@pytest.fixture
def told():
    return []


@pytest.fixture
def context(told):
    return Context(
        name="kubelet",
        settings=Settings("system:node:n1", instance="kubelet-n1"),
        environ={"KUBUS_PODS_MAX": "7"},
        clock=SystemClock(),
        log=Logger("kubelet"),
        metrics=CollectorRegistry(),
        on_ready=lambda ready, reason: told.append((ready, reason)),
    )


def test_readiness_is_told_once_until_it_changes(context, told):
    context.ready()
    context.ready()
    context.not_ready("etcd is away")
    context.not_ready("etcd is still away")
    context.ready()
    assert told == [(True, ""), (False, "etcd is away"), (True, "")]


def test_a_service_reads_its_own_settings_from_the_same_environment(context):
    assert context.read(Own) == Own(7)


def test_a_missing_setting_is_named(context):
    context.environ = {}
    with pytest.raises(SettingsError, match="KUBUS_PODS_MAX is not set"):
        context.read(Own)


def test_without_certificates_there_is_no_tls(context):
    assert context.tls() is None
    assert context.instance == "kubelet-n1"


def test_a_stand_by_is_ready_and_says_what_it_waits_for(told, context):
    context.show("waits for the lease")
    context.ready()
    context.show("waits for the lease")
    context.show("")
    assert told == [(True, "waits for the lease"), (True, "")]
