"""Gap: ministack takes any number of attributes with a message.

Closed: as on AWS, ten are the most.
docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from typing import Any

from ministack.services import sqs

MOST = 10


def is_needed() -> bool:
    queue = sqs._act_create_queue({"QueueName": "attributes"}, "")["QueueUrl"]
    one = {"DataType": "Number", "StringValue": "1"}
    attributes = {f"name-{number}": one for number in range(MOST + 1)}
    try:
        sqs._act_send_message({"MessageBody": "m", "MessageAttributes": attributes}, queue)
    except sqs._Err:
        return False
    return True


def close() -> None:
    send = sqs._act_send_message

    def send_few(request: dict[str, Any], url: str) -> Any:
        count = len(request.get("MessageAttributes") or {})
        if count > MOST:
            text = f"Number of message attributes [{count}] exceeds the allowed maximum [{MOST}]."
            raise sqs._Err("InvalidParameterValue", text, 400)
        return send(request, url)

    # Batches call it by name.
    sqs._act_send_message = send_few
    sqs._HANDLERS["SendMessage"] = send_few
