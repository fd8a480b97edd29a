"""What is counted of webhooks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from kubus_apiserver.admission.tallies import Tally


def test_calls_refusals_and_failures_are_counted_under_kubernetes_names() -> None:
    tally, registry = Tally(), CollectorRegistry()
    registry.register(tally)
    tally.answered("a", "CREATE", 0.02, mutating=True)
    tally.answered("a", "CREATE", 0.02, mutating=False, code=403)
    tally.answered("a", "CREATE", 0.02, mutating=False, code=999)
    tally.failed("b", "UPDATE", 3.0, mutating=False, passed_over=True)
    tally.failed("b", "UPDATE", 3.0, mutating=False, passed_over=False)
    text = generate_latest(registry).decode().splitlines()
    start = "apiserver_admission_webhook_"
    assert {line for line in text if line.startswith((f"{start}rejection", f"{start}fail"))} == {
        f'{start}fail_open_count{{name="b",type="validating"}} 1.0',
        f'{start}rejection_count{{error_type="no_error",name="a",operation="CREATE",rejection_code="403",'
        'type="validating"} 1.0',
        f'{start}rejection_count{{error_type="no_error",name="a",operation="CREATE",rejection_code="600",'
        'type="validating"} 1.0',
        f'{start}rejection_count{{error_type="calling_webhook_error",name="b",operation="UPDATE",rejection_code="0",'
        'type="validating"} 1.0',
    }
    assert f'{start}request_total{{code="200",name="a",operation="CREATE",rejected="false",type="admit"}} 1.0' in text
    labels = 'name="b",operation="UPDATE",rejected="true",type="validating"'
    assert f"{start}admission_duration_seconds_count{{{labels}}} 1.0" in text
