"""How the schedule of this service is set up."""

from toolkit.template import parameters, resources


def test_schedule_is_off_in_dev_and_on_in_prod() -> None:
    states = {env: parameters(env)["ScheduleState"] for env in ("dev", "staging", "prod", "local")}

    assert states == {
        "dev": "DISABLED",
        "staging": "ENABLED",
        "prod": "ENABLED",
        "local": "DISABLED",
    }


def test_schedule_and_work_fail_into_different_queues() -> None:
    target = resources("AWS::Scheduler::Schedule")["Schedule"]["Properties"]["Target"]

    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "ScheduleDeadLetterQueue.Arn"}}
    assert target["Arn"] == {"Fn::GetAtt": "Queue.Arn"}


def test_key_of_an_invoice_is_customer_and_scheduled_time() -> None:
    table = resources("AWS::DynamoDB::Table")["InvoicesTable"]["Properties"]

    assert [key["AttributeName"] for key in table["KeySchema"]] == ["customer_id", "scheduled_time"]
